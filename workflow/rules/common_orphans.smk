# What Snakemake is to do about jobs that outlive the Snakemake that started them (workflow/attempt.py).
from workflow.attempt import forget_finished

# A job in a cluster is a Snakemake of its own. Where its run was superseded, the outputs that it would remove as those
# of a failed job are its successor's. The one that the user started does remove them: it has noted its own params for
# files that may be from before, as where a job was cancelled in the queue.
if not workflow.is_main_process:
    workflow.execution_settings.keep_incomplete = True


onsuccess:
    forget_finished(job.output for job in workflow.dag.jobs)
