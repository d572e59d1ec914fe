#!/usr/bin/env bash
# Grid Engine. submit RULE CORES MB MINUTES GPUS SCRIPT prints the job's id; status ID prints how it is; ID... cancels.
# The parallel environment (smp), and the names of memory and GPUs (h_vmem, gpu) are the site's: qconf -spl, qconf -sc.
set -euo pipefail
source "$(dirname "$0")/silent_jobs.sh"
case $1 in
  submit)
    gpu=()
    [ "$6" = 0 ] || gpu=(-l "gpu=$6")
    qsub -terse -r n -V -cwd -N "$2" -pe smp "$3" -l "h_vmem=$(($4 / $3))M,h_rt=$(($5 * 60))" "${gpu[@]}" \
      -j y -o .snakemake "$7"
    ;;
  status)
    if qstat -j "$2" > /dev/null 2>&1; then
      heard "$2"
      echo running
    else # the record of a finished job may come late
      case $(qacct -j "$2" 2> /dev/null | awk '/^(failed|exit_status)/ { sum += $2; known = 1 } END { if (known) print sum }') in
        "") unheard "$2" ;;
        0) heard "$2" && echo success ;;
        *) heard "$2" && echo failed ;;
      esac
    fi
    ;;
  *) qdel "$@" ;;
esac
