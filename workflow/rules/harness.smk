# What Snakemake does otherwise here, all of it in workflow/harness: results of other settings are taken up again, jobs
# are forked from one process, plans take less time. Jobs of a Snakemake that was killed do nothing where they start late,
# and what the others have finished without any Snakemake having seen it is kept for the next one.
import atexit

from workflow.harness import (
    failed_outputs,
    forked_jobs,
    function_signatures,
    garbage_collector,
    local_store,
    parsed_sources,
    result_records,
    scheduler_timers,
    script_lookups,
    staleness,
    superseded_jobs,
    unread_messages,
)
from workflow.harness.fingerprint import HARNESS

atexit.register(parsed_sources.keep)  # for the next plan

# A job in a cluster is a Snakemake of its own, which notes nothing of what it makes, and removes first what is there.
config["is_nested"] = not workflow.is_main_process
if workflow.is_main_process:
    superseded_jobs.leave()
    staleness.install(workflow, PATHS.all_results)
    forked_jobs.install()
    scheduler_timers.install()
    function_signatures.install()
    garbage_collector.install()
    script_lookups.install()
    unread_messages.install()
elif superseded_jobs.is_outdated():
    raise WorkflowError(
        "another Snakemake makes what this job was submitted for (or results/.runs/ was emptied): nothing is done here"
    )
else:
    failed_outputs.install()


onstart:
    # For the jobs, which look through the harness too, though no hash covers it.
    parsed_sources.keep(*HARNESS.glob("*.py"))
    superseded_jobs.begin(
        {
            file: (
                ""
                if workflow.local_exec
                else result_records.recipe_of(job.params.items(), job.input)
            )
            for job in workflow.dag.needrun_jobs()
            for file in job.output
        }
    )
    if superseded_jobs.VARIABLE in os.environ:
        workflow.register_envvars(superseded_jobs.VARIABLE)


onsuccess:
    superseded_jobs.end()
    if any(job.output for job in workflow.dag.jobs):  # `verify` changes nothing
        local_store.prune()


onerror:
    superseded_jobs.end()
