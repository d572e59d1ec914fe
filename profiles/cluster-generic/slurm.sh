#!/usr/bin/env bash
# Slurm without its plugin: fewer seconds per job, but no array and no account. tests/slurm/run.sh runs it.
# submit RULE CORES MB MINUTES GPUS SCRIPT prints the job's id; status ID prints how it is; ID... cancels.
set -euo pipefail
source "$(dirname "$0")/silent_jobs.sh"
case $1 in
  submit)
    gpu=()
    [ "$6" = 0 ] || gpu=("--gpus=$6")
    sbatch --parsable --no-requeue --comment="rule_$2" --ntasks=1 --cpus-per-task="$3" --mem="$4" --time="$5" \
      "${gpu[@]}" --output=.snakemake/cluster-%j.log "$7"
    ;;
  status)
    state=$(squeue --noheader --states=all --format=%T --jobs="$2") || true
    [ -z "$state" ] || heard "$2"
    case $state in
      COMPLETED) echo success ;;
      PENDING | CONFIGURING | RUNNING | COMPLETING | SUSPENDED) echo running ;;
      "") unheard "$2" ;;
      *) echo failed ;;
    esac
    ;;
  *) scancel "$@" ;;
esac
