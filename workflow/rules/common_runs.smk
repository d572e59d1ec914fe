# Jobs of a Snakemake that was killed: those that start late do nothing, and what the others have finished without any
# Snakemake having seen it is kept for the next one (workflow/harness/runs.py, workflow/harness/attempt.py).
from workflow.harness import runs, staleness, store

# A job in a cluster is a Snakemake of its own, which notes nothing of what it makes, and removes first what is there.
config["is_nested"] = not workflow.is_main_process
if workflow.is_main_process:
    runs.leave()
    staleness.install(workflow, lambda: all_results())
elif runs.is_outdated():
    raise WorkflowError(
        "another Snakemake makes what this job was submitted for (or results/.runs/ was emptied): nothing is done here"
    )


onstart:
    runs.begin(workflow.persistence.all_outputfiles())
    if runs.VARIABLE in os.environ:
        workflow.register_envvars(runs.VARIABLE)


onsuccess:
    runs.end()
    if any(job.output for job in workflow.dag.jobs):  # `verify` changes nothing
        store.prune()


onerror:
    runs.end()
