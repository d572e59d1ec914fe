"""Descriptions of jobs, written only where somebody reads them.

Snakemake (9.27) puts the message, files, resources and reason of each job into words, and then drops them where it is
told to be quiet about rules. That is a fifth of a plan's time.
"""

from typing import Any

from snakemake.jobs import Job
from snakemake.settings.enums import Quietness


def install() -> None:
    """Have jobs of this process described to nobody where `--quiet rules` is given, and no plug-in logs."""
    describe = getattr(Job, "log_info", None)
    if describe and describe.__module__ != __name__:  # a Snakemake without it has another way to say it
        Job.log_info = _if_read(describe)


def _if_read(describe: Any) -> Any:
    def log_info(job: Any, *arguments: Any, **options: Any) -> None:
        workflow = job.dag.workflow
        quiet = workflow.output_settings.quiet or ()
        if Quietness.RULES not in quiet or workflow.logger_manager.get_log_handlers():
            describe(job, *arguments, **options)

    return log_info
