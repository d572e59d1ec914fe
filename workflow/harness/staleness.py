"""What a plan has to make again: decided by the records of results, and not by what Snakemake notes.

Snakemake keeps its notes apart from results, compares params as a set without their names, and of inputs their times,
and their content up to a size. Without notes it takes any result for current. Here the record of each result is
compared with what its job would make now (result_records.py). A few of Snakemake's functions are replaced for it; what
follows from a job that is to run is left to Snakemake.
"""

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import snakemake
import snakemake.api  # before snakemake.dag, as these import each other
from snakemake.dag import DAG
from snakemake.exceptions import WorkflowError
from snakemake.io import Mtime
from snakemake.jobs import Job
from snakemake.logging import logger
from snakemake.persistence import NO_PARAMS_CHANGE, ParamsChange, PersistenceBase
from snakemake.settings.types import RerunTrigger
from snakemake.workflow import Workflow

from lmia import artifacts
from workflow.harness import checksums, local_store, result_records
from workflow.harness.job_outputs import Attempt
from workflow.harness.result_records import Record

REPLACED = [
    (PersistenceBase, "has_metadata"),
    (PersistenceBase, "has_outdated_metadata"),
    (PersistenceBase, "params_changed"),
    (Job, "output_mintime"),
    (DAG, "update_needrun"),
    (DAG, "postprocess"),
    (Workflow, "log_provenance_info"),
]
TRIGGERS = {RerunTrigger.PARAMS, RerunTrigger.SOFTWARE_ENV}  # those that mean something here


def install(workflow: Any, all_results: Callable[[], list[str]]) -> None:
    """Let records decide in this process. Raises WorkflowError where this Snakemake is built otherwise.

    workflow: Snakemake's; all_results: gives the paths of all results of the configuration; rule verify finds which of
    them are stale in `config["stale"]`, path -> line.
    """
    if missing := [f"{owner.__name__}.{name}" for owner, name in REPLACED if not hasattr(owner, name)]:
        raise WorkflowError(
            f"Snakemake {snakemake.__version__} has no {', '.join(missing)}, by which results are judged; install the "
            "version of requirements.lock"
        )
    workflow.all_results = all_results
    if DAG.update_needrun.__module__ != __name__:  # or an earlier workflow in this process has done so
        for (owner, name), function in zip(REPLACED, _ours(), strict=True):
            setattr(owner, name, function)


def _ours() -> list[Any]:
    """What takes the place of each function in REPLACED; three of Snakemake's are called from ours."""
    is_noted, plan, postprocess = PersistenceBase.has_metadata, DAG.update_needrun, DAG.postprocess

    async def update_needrun(dag: Any, *arguments: Any, **options: Any) -> None:
        _check_triggers(dag.workflow.dag_settings)
        dag.staleness = Staleness({str(file): job for job in dag.jobs for file in job.output})
        if any(job.rule.name == "verify" for job in dag.jobs):
            dag.workflow.config["stale"] = await _stale(dag, dag.workflow.all_results())
        await plan(dag, *arguments, **options)
        if taken := _found(dag):
            _tell_of(taken, dag)
            await plan(dag, *arguments, **options)
        staying = set(_staying(dag)).difference(taken)
        dag.taken, dag.unnoted = taken, [job for job in staying if not is_noted(dag.workflow.persistence, job)]
        if dag.unnoted:
            logger.info(
                f"{len(dag.unnoted)} results without notes of Snakemake's are what their jobs would make, and stay."
            )

    async def settle(dag: Any, *arguments: Any, check_initial: bool = False, **options: Any) -> None:
        await postprocess(dag, *arguments, check_initial=check_initial, **options)
        if check_initial and not dag.workflow.dryrun:  # a run begins, and its lock is held
            await _settle(dag)

    return [
        lambda notes, job: True,
        lambda notes, job: False,
        lambda notes, job, file=None: notes.dag.staleness.change(job),
        property(_no_time),
        update_needrun,
        settle,
        lambda workflow: None,  # which would advise --rerun-triggers mtime and --cleanup-metadata
    ]


async def _no_time(_: Any) -> None:
    """In place of the time of a job's outputs, which decides nothing."""


def _tell_of(taken: list[Any], dag: Any) -> None:
    """Say that results are taken, and have Snakemake plan again as if they were there."""
    files = [file for job in taken for file in job.output]
    logger.info(f"{len(files)} results were made before under other names, and are taken.")
    dag.workflow.iocache.exists_local.update({file: True for file in files})
    dag.workflow.iocache.mtime.update({file: Mtime(local=0.0) for file in files})
    for job in dag.jobs:
        dag.reason(job).clear()


def _check_triggers(settings: Any) -> None:
    """Records are judged where Snakemake compares params; of its other notes, only those on environments are used."""
    if RerunTrigger.PARAMS not in settings.rerun_triggers:
        raise WorkflowError(
            "--rerun-triggers: params must be among them: a result is judged by its record of params, code and inputs "
            "(docs/explanation/design.md); to keep a result as it is, name other targets"
        )
    settings.rerun_triggers = TRIGGERS & settings.rerun_triggers


async def _stale(dag: Any, paths: list[str]) -> dict[str, str]:
    """Of each result that is there and is not what its job would make now, what differs."""
    staleness = Staleness({path: (await dag.file2jobs(path))[0] for path in paths})
    return {path: line for path in paths if (line := staleness.line(path))}


def _found(dag: Any) -> list[Any]:
    """Jobs that are planned, and whose results are there under other names."""
    taken, waiting = [], set()
    for job in (job for level in dag.toposorted() for job in level if dag.needrun(job)):
        if dag.reason(job).forced or waiting & dag.dependencies[job].keys() or not dag.staleness.finds(job):
            waiting.add(job)
        else:
            taken.append(job)
    return taken


def _staying(dag: Any) -> list[Any]:
    there = [job for job in dag.jobs if job.output and not dag.needrun(job)]
    return [job for job in there if all(map(dag.staleness.exists, job.output))]


async def _settle(dag: Any) -> None:
    """Write what the plan has found: results under their new names, second names, and notes for Snakemake's reports."""
    for job in filter(dag.jobs.__contains__, dag.taken):
        try:
            dag.staleness.take(job)
        except OSError as error:
            raise WorkflowError(f"{job.output[0]}: was there and cannot be taken: {error}; run it again") from error
    for job in _staying(dag):
        if any(os.stat(file).st_nlink == 1 for file in job.output) and (record := result_records.read(job.output[0])):
            local_store.keep(record, job.output, job.output)
    for job in [] if dag.workflow.touch else dag.needrun_jobs():
        if _is_made_anew(dag, job):
            for key in filter(None, dag.staleness.keys(job)):
                local_store.forget(key, job.output)
    for job in filter(dag.jobs.__contains__, [*dag.taken, *dag.unnoted]):
        await dag.workflow.persistence.finished(job)


def _is_made_anew(dag: Any, job: Any) -> bool:
    """Whether the same results from before are not wanted: what a user forces, and what another environment made.

    What Snakemake forces, as it saw no end of it, may be there whole.
    """
    settings = dag.workflow.dag_settings
    forced = {*settings.forcerun, *(settings.targets if settings.forcetargets else [])}
    is_forced = job.rule in dag.forcerules or not {os.path.relpath(name) for name in forced}.isdisjoint(job.output)
    return dag.reason(job).software_stack_changed or (dag.reason(job).forced and is_forced)


def _is_sound(place: Path) -> bool:
    """Whether a result can be read. The record of a table or figure is of its bytes, so it needs no look."""
    try:
        return checksums.lies_apart(place) or bool(artifacts.load(place))
    except (artifacts.ArtifactError, OSError):
        return False


class Staleness:
    """Compares results with what their jobs would make now.

    jobs: path of each output -> its job, an object with `params`, `input` and `output` as Snakemake's.
    """

    def __init__(self, jobs: dict[str, Any]) -> None:
        self._jobs = jobs
        self._states: dict[str, tuple[str | None, str | None]] = {}
        self._origins: dict[str, str] = {}
        self._lines: dict[str, str | None] = {}
        self._elsewhere: dict[str, Path] = {}  # path of a result that is to be taken -> where it is

    def change(self, job: Any) -> ParamsChange:
        """What of a job's outputs is another than it would make, as Snakemake tells changes of params."""
        before: set[str] = set()
        now: set[str] = set()
        files: set[str] = set()
        for file in map(str, job.output):
            if os.path.exists(file):
                old, new = self.differences(job, file)
                before, now = before | old, now | new
                files |= {file} if old or new else set()
        return ParamsChange(only_old=before, only_new=now, files=files) if files else NO_PARAMS_CHANGE

    def line(self, path: str) -> str | None:
        """What is stale about a result, its inputs included; None where nothing is, or it is missing or damaged."""
        if path not in self._lines:
            self._lines[path] = self._line(path)
        return self._lines[path]

    def _line(self, path: str) -> str | None:
        job = self._jobs.get(path)
        if job is None or self.state(path)[0] is None:
            return None
        before, now = self.differences(job, path)
        if before or now:
            return f"was made from {', '.join(sorted(before)) or 'less'}; now {', '.join(sorted(now)) or 'without'}"
        stale = next((file for file in map(str, job.input) if self.line(file)), None)
        return f"was made from {stale}, which is stale" if stale else None

    def differences(self, job: Any, file: str) -> tuple[set[str], set[str]]:
        """(before, now): lines on where an output that is there differs from what its job would make."""
        found = result_records.read(file)
        if found is None:
            return {"no record of what it was made from"}, set()
        if unknown := self._unknown_inputs(job, found):
            return {f"{name}: gone, and what it was made from is not known" for name in unknown}, set()
        record = self._record(job, found)
        return (set(), set()) if record["key"] == found["key"] else result_records.differences(found, record)

    def finds(self, job: Any) -> bool:
        """Whether a job's missing results were made under other names; what follows is judged by where they are."""
        if not job.output or any(map(os.path.exists, job.output)) or not all(map(self.exists, job.input)):
            return False
        outputs, key = list(map(str, job.output)), self._record(job)["key"]
        if local_store.has(key, outputs):
            places = local_store.places(key, outputs)
        elif key in self._strays:
            places = [self._strays[key]]
        else:
            return False
        if not all(map(_is_sound, places)):  # or what is deleted, as it is damaged, would come back from there
            return False
        self._elsewhere.update(zip(outputs, places, strict=True))
        for output in outputs:
            self._states.pop(output, None)
        return True

    @cached_property
    def _strays(self) -> dict[str, Path]:
        return local_store.strays()

    def take(self, job: Any) -> None:
        """Give what was found its names. Raises OSError where it has gone, or cannot be written."""
        for output in job.output:
            Path(output).parent.mkdir(parents=True, exist_ok=True)
        Attempt(job.output, self._record(job)).adopt([self._elsewhere[str(output)] for output in job.output])

    def exists(self, file: str) -> bool:
        """Whether a file is there, or is to be taken."""
        return str(file) in self._elsewhere or os.path.exists(file)

    def keys(self, job: Any) -> list[str | None]:
        """Keys of what a job has made and would make, None where one is not known."""
        known = all(map(self.exists, job.input))
        return [(result_records.read(job.output[0]) or {}).get("key"), self._record(job)["key"] if known else None]

    def _record(self, job: Any, found: Record | None = None) -> Record:
        """What a job's results would be made from; of inputs that are gone or damaged, what `found` says of them."""
        inputs = {}
        for name, files in result_records.named(job.input).items():
            recorded = dict(enumerate((found or {}).get("inputs", {}).get(name, [])))
            inputs[name] = [(self.state(f)[0] or recorded.get(n), self._origin(f)) for n, f in enumerate(files)]
        return result_records.record_of(job.params.items(), inputs)

    def _unknown_inputs(self, job: Any, found: Record) -> list[str]:
        """Inputs that are gone, unless they would be made from the same today as those that the record tells of."""
        unknown = []
        for name, files in result_records.named(job.input).items():
            origins = dict(enumerate(found["origins"].get(name, [])))
            gone = [(n, file) for n, file in enumerate(files) if not self.exists(file)]
            unknown += [file for n, file in gone if origins.get(n) is None or origins[n] != self._origin(file)]
        return unknown

    def _origin(self, file: str) -> str | None:
        """What a file was made from, all the way up; where it is gone, what it would be made from."""
        if (origin := self.state(file)[1]) or file not in self._jobs:
            return origin
        if file not in self._origins:
            self._origins[file] = self._record(self._jobs[file])["origin"]
        return self._origins[file]

    def state(self, file: str) -> tuple[str | None, str | None]:
        """(content, origin) of a file, None where it is not there, or damaged."""
        if file not in self._states:
            self._states[file] = self._look(file)
        return self._states[file]

    def _look(self, file: str) -> tuple[str | None, str | None]:
        if file in self._elsewhere:
            place = self._elsewhere[file]
            return result_records.content(place), (result_records.read(place) or {}).get("origin")
        return result_records.state(file) if os.path.exists(file) else (None, None)
