#!/usr/bin/env bash
# IBM Spectrum LSF. submit RULE CORES MB MINUTES GPUS SCRIPT prints the job's id; status ID prints how it is; ID... cancels.
set -euo pipefail
source "$(dirname "$0")/silent_jobs.sh"
case $1 in
  submit)
    gpu=()
    [ "$6" = 0 ] || gpu=(-gpu "num=$6")
    bsub -rn -J "$2" -n "$3" -R "span[hosts=1] rusage[mem=$4MB]" -M "$4MB" -W "$5" "${gpu[@]}" \
      -o .snakemake/cluster-%J.log "$7" | sed -E 's/^Job <([0-9]+)>.*/\1/'
    ;;
  status)
    state=$(bjobs -noheader -o stat "$2") || true
    [ -z "$state" ] || heard "$2"
    case $state in
      DONE) echo success ;;
      EXIT | ZOMBI) echo failed ;;
      "") unheard "$2" ;;
      *) echo running ;;
    esac
    ;;
  *) bkill "$@" ;;
esac
