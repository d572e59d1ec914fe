#!/usr/bin/env bash
# The workflow on a real Slurm: starts a cluster on this machine, runs checks.py through it, and takes it down.
# Needs root, Debian (apt) and the packages of requirements.lock. Ends with a line "N passed, M failed".
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
chmod 755 "$folder" # munged runs as a user of its own
trap 'bash tests/slurm/cluster.sh stop "$folder" && rm -rf "$folder"' EXIT

if ! { bash tests/slurm/cluster.sh install && bash tests/slurm/cluster.sh start "$folder"; }; then
  echo "no Slurm on this machine, so nothing of the cluster was tested"
  echo "0 passed, 1 failed"
  exit 1
fi
python=.venv/bin/python
[ -x "$python" ] || python=python
"$python" -m pytest -q --basetemp="$folder/studies" tests/slurm/checks.py
