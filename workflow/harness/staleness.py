"""What a plan has to make again: decided by the records of results, and not by what Snakemake notes.

Snakemake keeps its notes apart from results, compares params as a set without their names, and of inputs their times,
and their content up to a size. Without notes it takes any result for current. Here the record of each result is
compared with what its job would make now (records.py). A few of Snakemake's functions are replaced for it; what follows
from a job that is to run is left to Snakemake.
"""

import os
from pathlib import Path

import snakemake
import snakemake.api  # before snakemake.dag, as these import each other
from snakemake.dag import DAG
from snakemake.exceptions import WorkflowError
from snakemake.io import Mtime
from snakemake.jobs import Job
from snakemake.logging import logger
from snakemake.persistence import NO_PARAMS_CHANGE, ParamsChange, PersistenceBase

from workflow.harness import records, store

REPLACED = [
    (PersistenceBase, "has_metadata"),
    (PersistenceBase, "has_outdated_metadata"),
    (PersistenceBase, "params_changed"),
    (Job, "output_mintime"),
    (DAG, "update_needrun"),
]


NO_RECORD = {"inputs": {}, "input_keys": {}}


def install(all_results):
    """Let records decide in this process. Raises WorkflowError where this Snakemake is built otherwise.

    all_results: gives the paths of all results of the configuration, each after those that it is made from; rule verify
    finds which of them are stale in `config["stale"]`, path -> line.
    """
    if missing := [f"{owner.__name__}.{name}" for owner, name in REPLACED if not hasattr(owner, name)]:
        raise WorkflowError(
            f"Snakemake {snakemake.__version__} has no {', '.join(missing)}, by which results are judged; install the "
            "version of requirements.lock"
        )
    if hasattr(DAG.update_needrun, "noted"):  # several workflows in one process
        return
    noted, planned = PersistenceBase.has_metadata, DAG.update_needrun

    async def update_needrun(dag, *arguments, **options):
        dag.staleness = Staleness({str(file): job for job in dag.jobs for file in job.output})
        if any(job.rule.name == "verify" for job in dag.jobs):
            dag.workflow.config["stale"] = await _stale(dag, all_results())
        await planned(dag, *arguments, **options)
        if taken := _take(dag):
            logger.info(f"{len(taken)} results were made before under other names, and are taken.")
            dag.workflow.iocache.exists_local.update({job.output[0]: True for job in taken})
            if dag.workflow.dryrun:  # they have no time that it could look up
                dag.workflow.iocache.mtime.update({job.output[0]: Mtime(local=0.0) for job in taken})
            for job in dag.jobs:
                dag.reason(job).clear()
            await planned(dag, *arguments, **options)
        await _note(dag, noted)
        await _forget_forced(dag)

    async def no_time(_):
        return None

    update_needrun.noted = noted
    PersistenceBase.has_metadata = lambda notes, job: True
    PersistenceBase.has_outdated_metadata = lambda notes, job: False
    PersistenceBase.params_changed = lambda notes, job, file=None: notes.dag.staleness.change(job)
    Job.output_mintime = property(no_time)
    DAG.update_needrun = update_needrun


async def _stale(dag, paths):
    """Of each result that is there and is not what its job would make now, what differs."""
    jobs = {path: (await dag.file2jobs(path))[0] for path in paths}
    staleness, stale = Staleness(jobs), {}
    for path, job in jobs.items():
        if not staleness.can_tell(job, path):
            continue  # verify tells by itself what is missing or damaged
        before, now = staleness.differences(job, path)
        if before or now:
            stale[path] = (
                f"was made from {', '.join(sorted(before)) or 'less'}; now {', '.join(sorted(now)) or 'without'}"
            )
        elif old := next((file for file in map(str, job.input) if file in stale), None):
            stale[path] = f"was made from {old}, which is stale"
    return stale


def _take(dag):
    """Jobs that are planned, and whose artifact was there under another name: now it has theirs too.

    A dry run writes nothing, and goes on as if it had.
    """
    taken, waiting = [], set()
    take = dag.staleness.would_take if dag.workflow.dryrun else dag.staleness.take
    for job in (job for level in dag.toposorted() for job in level if dag.needrun(job)):
        if dag.reason(job).forced or waiting & dag.dependencies[job].keys() or not take(job):
            waiting.add(job)
        else:
            taken.append(job)
    return taken


async def _note(dag, noted):
    """Let Snakemake know of results that it has no notes of, and that stay: its reports tell of no others."""
    notes = dag.workflow.persistence
    stay = [job for job in dag.jobs if job.output and not dag.needrun(job)]
    there = [job for job in stay if all(map(dag.staleness.exists, job.output))]
    if unnoted := [job for job in there if not noted(notes, job)]:
        logger.info(f"{len(unnoted)} results without notes of Snakemake's are what their jobs would make, and stay.")
    for job in unnoted if not dag.workflow.dryrun else []:
        await notes.finished(job)


async def _forget_forced(dag):
    """What a user forces is really made again; what Snakemake forces, as it saw no end of it, may be there whole."""
    for job in dag.jobs if not dag.workflow.dryrun else []:
        if dag.reason(job).forced and store.keeps(job.output) and not await dag.workflow.persistence.incomplete(job):
            for key in filter(None, dag.staleness.keys(job)):
                store.place(key).unlink(missing_ok=True)


class Staleness:
    """Compares results with what their jobs would make now.

    jobs: path of each output -> its job, an object with `params`, `input` and `output` as Snakemake's.
    """

    def __init__(self, jobs):
        self._jobs, self._states = jobs, {}
        self._elsewhere = {}  # path of what a dry run would take -> where that is

    def change(self, job):
        """What of a job's outputs is another than it would make, as Snakemake tells changes of params."""
        before, now, files = set(), set(), set()
        for file in map(str, job.output):
            if os.path.exists(file):
                old, new = self.differences(job, file)
                before, now = before | old, now | new
                files |= {file} if old or new else set()
        return ParamsChange(only_old=before, only_new=now, files=files) if files else NO_PARAMS_CHANGE

    def differences(self, job, file):
        """(before, now): lines on where an output that is there differs from what its job would make."""
        found = records.read(file)
        if found is None:
            return {"no record of what it was made from"}, set()
        if unknown := self._unknown_inputs(job, found):
            return {f"{name}: gone, and what it was made from is not known" for name in unknown}, set()
        record = self._record(job, found)
        return (set(), set()) if record["key"] == found["key"] else records.differences(found, record)

    def take(self, job):
        """Take a job's missing artifact from where it was made under another name; returns whether one was taken."""
        if (key := self._kept(job)) is None:
            return False
        Path(job.output[0]).parent.mkdir(parents=True, exist_ok=True)
        return store.take(key, job.output[0])

    def would_take(self, job):
        """As `take`, without a trace: what follows from the artifact is judged by where it is."""
        if (key := self._kept(job)) is None:
            return False
        self._elsewhere[str(job.output[0])] = store.place(key)
        self._states.pop(str(job.output[0]), None)
        return True

    def _kept(self, job):
        """The key of a job's missing artifact, None where that was not made under another name."""
        if not store.keeps(job.output) or os.path.exists(job.output[0]):
            return None
        key = self._key(job)
        return key if key and store.place(key).exists() else None

    def exists(self, file):
        """Whether a file is there, or would be after what a dry run would take."""
        return str(file) in self._elsewhere or os.path.exists(file)

    def can_tell(self, job, file):
        """Whether the file, and what it was made from, are there and sound, or else known."""
        is_sound = self.state(file) != (None, None)
        return is_sound and not self._unknown_inputs(job, records.read(file) or NO_RECORD)

    def keys(self, job):
        """Keys of what a job has made and would make, None where one is not known."""
        return [(records.read(job.output[0]) or {}).get("key"), self._key(job)]

    def _key(self, job):
        """The key of what a job would make, None where an input is missing."""
        if not all(map(self.exists, job.input)):
            return None
        return self._record(job)["key"]

    def _record(self, job, found=None):
        """What the job's results would be made from; of inputs that are gone or damaged, what `found` says of them."""
        inputs = {}
        for name, files in records.named(job.input).items():
            recorded = dict(enumerate((found or {}).get("inputs", {}).get(name, [])))
            inputs[name] = [
                (self.state(file)[0] or recorded.get(n), self.state(file)[1]) for n, file in enumerate(files)
            ]
        return records.record_of(job.params.items(), inputs)

    def _unknown_inputs(self, job, found):
        """Inputs that are gone, unless they would be made from the same today as those that the record tells of."""
        unknown = []
        for name, files in records.named(job.input).items():
            keys = found["input_keys"].get(name, [])
            for n, file in enumerate(files):
                maker = None if self.exists(file) else self._jobs.get(file)
                if not self.exists(file) and (maker is None or n >= len(keys) or self._key(maker) != keys[n]):
                    unknown.append(file)
        return unknown

    def state(self, file):
        """(content, key) of a file, None where it is not there, or damaged."""
        if file not in self._states:
            place = self._elsewhere.get(file, file)
            self._states[file] = records.state(place) if os.path.exists(place) else (None, None)
        return self._states[file]
