# For a scheduler that says nothing of a job: it may be busy, or no more know the job. Sourced by the scripts beside this.
# unheard ID prints running, and failed once that has been so for half an hour; heard ID: it has spoken again.
unheard() {
  [ -e ".snakemake/unheard-$1" ] || touch ".snakemake/unheard-$1"
  if [ -z "$(find ".snakemake/unheard-$1" -mmin +30)" ]; then
    echo running
  else
    heard "$1" # a later job may have the same number
    echo failed
  fi
}

heard() {
  rm -f ".snakemake/unheard-$1"
}
