# Jobs of a Snakemake that was killed: those that start late do nothing, and what the others have finished without any
# Snakemake having seen it is kept for the next one (workflow/harness/submissions.py, workflow/harness/attempt.py).
from workflow.harness import staleness, store, submissions

# A job in a cluster is a Snakemake of its own, which notes nothing of what it makes, and removes first what is there.
config["is_nested"] = not workflow.is_main_process
if workflow.is_main_process:
    submissions.leave()
    staleness.install(workflow, PATHS.all_results)
elif submissions.is_outdated():
    raise WorkflowError(
        "another Snakemake makes what this job was submitted for (or results/.runs/ was emptied): nothing is done here"
    )


onstart:
    submissions.begin(workflow.persistence.all_outputfiles())
    if submissions.VARIABLE in os.environ:
        workflow.register_envvars(submissions.VARIABLE)


onsuccess:
    submissions.end()
    if any(job.output for job in workflow.dag.jobs):  # `verify` changes nothing
        store.prune()


onerror:
    submissions.end()
