"""The script of a rule, looked up once: Snakemake (9.27) opens it for each job that is planned.

That is a seventh of a plan's time.
"""

from typing import Any

import snakemake.api  # before snakemake.dag, as these import each other
import snakemake.dag

ScriptProcessor: Any = getattr(snakemake.dag, "ScriptProcessor", None)


def install() -> None:
    """Have plans of this process look up a script for the first job of its rule alone."""
    look_up = getattr(ScriptProcessor, "process_job", None)
    if look_up and look_up.__module__ != __name__:  # a Snakemake without it looks scripts up elsewhere
        ScriptProcessor.process_job = _once(look_up)


def _once(look_up: Any) -> Any:
    def process_job(processor: Any, job: Any) -> None:
        done = vars(processor).setdefault("rules_looked_up", set())
        has_wildcards = "{" in str(getattr(job.rule, processor.script_type))
        if has_wildcards or job.rule not in done:
            look_up(processor, job)
            done.add(job.rule)

    return process_job
