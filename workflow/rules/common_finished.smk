# What was finished without any Snakemake having seen it is kept for the next one (workflow/attempt.py).
from workflow.attempt import forget_finished


onsuccess:
    forget_finished(job.output for job in workflow.dag.jobs)
