# Jobs of a Snakemake that was killed: those that start late do nothing, and what the others have finished without any
# Snakemake having seen it is kept for the next one (workflow/harness/outdated_jobs.py, workflow/harness/job_outputs.py).
from workflow.harness import local_store, outdated_jobs, staleness

# A job in a cluster is a Snakemake of its own, which notes nothing of what it makes, and removes first what is there.
config["is_nested"] = not workflow.is_main_process
if workflow.is_main_process:
    outdated_jobs.leave()
    staleness.install(workflow, PATHS.all_results)
elif outdated_jobs.is_outdated():
    raise WorkflowError(
        "another Snakemake makes what this job was submitted for (or results/.runs/ was emptied): nothing is done here"
    )


onstart:
    outdated_jobs.begin(workflow.persistence.all_outputfiles())
    if outdated_jobs.VARIABLE in os.environ:
        workflow.register_envvars(outdated_jobs.VARIABLE)


onsuccess:
    outdated_jobs.end()
    if any(job.output for job in workflow.dag.jobs):  # `verify` changes nothing
        local_store.prune()


onerror:
    outdated_jobs.end()
