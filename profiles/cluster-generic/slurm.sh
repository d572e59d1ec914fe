#!/usr/bin/env bash
# Slurm without its plugin: fewer seconds per job, but no array and no account. tests/slurm/run.sh runs it.
# submit RULE CORES MB MINUTES GPUS SCRIPT prints the job's id; status ID prints how it is; ID... cancels.
set -euo pipefail
case $1 in
  submit)
    gpu=()
    [ "$6" = 0 ] || gpu=("--gpus=$6")
    sbatch --parsable --no-requeue --comment="rule_$2" --ntasks=1 --cpus-per-task="$3" --mem="$4" --time="$5" \
      "${gpu[@]}" --output=.snakemake/cluster-%j.log "$7"
    ;;
  status)
    case $(squeue --noheader --states=all --format=%T --jobs="$2") in
      COMPLETED) echo success ;;
      "" | PENDING | CONFIGURING | RUNNING | COMPLETING | SUSPENDED) echo running ;; # "": the controller is busy
      *) echo failed ;;
    esac
    ;;
  *) scancel "$@" ;;
esac
