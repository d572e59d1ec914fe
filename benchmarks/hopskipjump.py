"""What an answer of the boundary attack costs: this library, ART and Foolbox on the same models and points.

python benchmarks/hopskipjump.py --out DIR [--data NPZ] [--location TGZ] [--quick] [--members N] [--shadow N]
                                 [--seed S] [--device cuda] [--ours | --engines | --answers] [--only NETWORK]

NPZ holds x_train and x_test, uint8 (n, 32, 32, 3), y_train and y_test, as of CIFAR-10; without it images are made up.
TGZ is the archive of Location, a table; without it there is none. Warm searches start at two further models of the
attacker's, whose gradients are part of their cost; what training them takes stands in a column of its own.
Tables (.csv, .md) are written to DIR, and a figure of the searches, where there are any. Every measurement is a process
of its own with one thread; target and shadow are measured side by side, on a GPU one after the other, each block of
points by all tools in turn. What DIR/work holds is not measured again, so that a killed run goes on, unless the
settings or the library have changed.
"""

import argparse
import hashlib
import importlib.util
import json
import multiprocessing
import os
import resource
import sys
import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from multiprocessing.connection import wait
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import art_classifier  # noqa: E402
import engine  # noqa: E402
import rivals  # noqa: E402
import subjects  # noqa: E402
from rivals import CALIBRATED, CEILING, CEILING_OF_STOPPING, OURS, RIVALS, STOPPING, WHITE_BOX  # noqa: E402
from subjects import REFERENCES, ROLES  # noqa: E402

from lmia.devices import describe, prepare, resolve  # noqa: E402
from lmia.evaluation.fit_stopping import fit_stopping  # noqa: E402
from lmia.queries.oracle import PRECISIONS  # noqa: E402
from workflow.harness.freed_memory import keep_freed_memory  # noqa: E402

ATTACKED = ("target", "shadow")
ERROR = 0.02  # of stopping too early
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Scale:
    """How much is measured; dictionaries have an entry per model.

    n_train: members of each split; points: members attacked of (target, shadow), and as many non-members;
    blocks: parts that the points are cut into; published, economical, warm: budgets, queries per point; steps: of ART
    and of Foolbox, for about as many queries as the published budget; seconds: CPU time of one ceiling; queries: of one
    repetition of an engine's measurement; scaling: numbers of points; chunks: input values per forward pass;
    scaling_points, scaling_budget: where something else is varied.
    """

    n_train: dict
    max_epochs: dict
    points: dict
    blocks: int
    published: int
    economical: int
    warm: int
    steps: int
    seconds: float
    queries: dict
    scaling: tuple
    chunks: tuple
    scaling_points: int
    scaling_budget: int
    processes: bool = True  # whether threads and processes are varied as well


FULL = Scale(
    n_train={"mlp-digits": 200, "mlp-location": 1000, "cnn": 2500},
    max_epochs={"mlp-digits": 1000, "mlp-location": 1000, "cnn": 1000},
    points={"mlp-digits": (200, 100), "mlp-location": (200, 100), "cnn": (250, 100)},
    blocks=5,
    published=2500,
    economical=1000,
    warm=100,
    steps=10,
    seconds=1.0,
    queries={"cnn": 40_000, "digits-cnn": 200_000, "mlp-digits": 1_000_000, "mlp-tabular": 500_000},
    scaling=(10, 30, 100, 300, 1000),
    chunks=(1 << 18, 1 << 19, 1 << 20),
    scaling_points=200,
    scaling_budget=250,
)
QUICK = Scale(
    n_train={"mlp-digits": 200, "mlp-location": 500, "cnn": 500},
    max_epochs={"mlp-digits": 1000, "mlp-location": 1000, "cnn": 25},
    points={"mlp-digits": (30, 20), "mlp-location": (30, 20), "cnn": (30, 20)},
    blocks=2,
    published=500,
    economical=250,
    warm=60,
    steps=3,
    seconds=0.2,
    queries={"cnn": 2_500, "digits-cnn": 20_000, "mlp-digits": 100_000, "mlp-tabular": 50_000},
    scaling=(10, 30),
    chunks=(1 << 18, 1 << 20),
    scaling_points=20,
    scaling_budget=100,
)
# One block, because each process of its own spends seconds on a GPU's libraries; a GPU wants many points at once.
GPU = replace(
    FULL,
    points={"mlp-digits": (20, 20), "mlp-location": (20, 20), "cnn": (100, 50)},
    blocks=1,
    seconds=0.5,
    queries={"cnn": 2_000_000, "mlp-digits": 20_000_000},
    scaling=(100, 1000),
    chunks=(1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26),
    scaling_points=2000,
    processes=False,
)
# The first search of a process builds its tables.
WARM_UP = replace(QUICK, published=150, economical=60, warm=30, steps=1)


@dataclass(frozen=True)
class Job:
    """A measurement: `function(*arguments)` returns named arrays, which are kept at `path`."""

    path: Path
    function: object
    arguments: tuple


def side_by_side(device, *lanes):
    """Run lists of jobs on a device, each job in a process of its own, and print a line for each.

    CPUs run the lists beside each other, a GPU one after the other.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch"])  # processes start at once, and yet have run nothing
    lanes, running = [[job for job in lane if not job.path.exists()] for lane in lanes], {}
    lanes = [sum(lanes, [])] if device.type == "cuda" else lanes
    while any(lanes) or running:
        for number, lane in enumerate(lanes):
            if lane and number not in running:
                job = lane.pop(0)
                running[number] = job, time.perf_counter(), context.Process(target=_work, args=(job, device))
                running[number][2].start()
        wait([process.sentinel for _, _, process in running.values()])
        for number, (job, start, process) in list(running.items()):
            if not process.is_alive():
                if process.exitcode:
                    raise RuntimeError(f"{job.path.stem}: ended with exit status {process.exitcode}")
                print(f"{time.perf_counter() - start:7.1f} s  {job.path.stem}", flush=True)
                del running[number]


def _work(job, device):
    prepare(device, 1)
    keep_freed_memory()  # for every tool, as the workflow's jobs do
    arrays = job.function(*job.arguments)
    save(job.path, arrays | {"memory": peak_memory()})


def peak_memory():
    """Most memory that this process has held, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage's peak may be that of the process which started this one
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(fields["VmHWM"].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def save(path, arrays):
    """Write named arrays, under another name first: a file that is there is complete."""
    unfinished = path.with_suffix(f".{os.getpid()}.npz")  # a killed run's last process may still be at work
    np.savez_compressed(unfinished, **arrays)
    os.replace(unfinished, path)


def attack(tool, scale, seed, model, data, network, device, block, batches, shadow, references):
    """Arrays of one tool's run on one block of points.

    data, network, batches: files of the model; shadow: (its data, its finished runs), for stopping; references: (data,
    network) of each, for warm searches.
    """
    model, points = subjects.load(data, model, network, device, references if tool.schedule == "warm" else ())
    if tool.name == "ceiling":
        best, shape = np.load(batches), points.inputs.shape[1:]
        return {name: engine.Ceiling(model, shape, name, best[name]).rate(scale.seconds) for name in PRECISIONS}
    if tool == WHITE_BOX:
        return rivals.run_white_box(model, points)
    points = points.take(np.array_split(np.arange(len(points.ids)), scale.blocks)[block])
    settled = learn_to_stop(*shadow) if tool == STOPPING else None
    rivals.search(tool, WARM_UP, seed, model, points.take(slice(8)), settled)
    return rivals.search(tool, scale, seed, model, points, settled)


def learn_to_stop(data, runs):
    """When to stop, from the shadow's runs of all blocks; one may have more steps than another."""
    parts = [np.load(run) for run in runs]
    length = max(part["best"].shape[1] for part in parts)
    best, moments = (
        np.concatenate([np.pad(part[name], [(0, 0), (0, length - part[name].shape[1])], "edge") for part in parts])
        for name in ("best", "moments")
    )
    return fit_stopping(best, moments, np.load(data)["is_member"], error=ERROR)


class Study:
    """Which files there are, and the jobs that make them. Their names hold a digest of all that they depend on.

    part: what of it is measured, "whole", "answers", "ours" or "engines", the last two without other tools.
    """

    def __init__(self, scale, out, npz, archive, seed, device, part):
        self.scale, self.seed, self.npz, self.device, self.archive = scale, seed, npz, device, archive
        alone, self.is_whole = part in ("ours", "engines"), part == "whole"
        others = [] if alone else [STOPPING, *RIVALS] if self.is_whole else RIVALS
        self.tools, self.work = [*OURS, *CALIBRATED, *others], out / "work"
        self.packages = ("torch", "numpy") if alone else ("torch", "numpy", "adversarial-robustness-toolbox", "foolbox")
        self.work.mkdir(parents=True, exist_ok=True)
        source = [file and hashlib.sha256(file.read_bytes()).hexdigest() for file in (npz, archive)]
        sources = [ROOT / f"lmia/{name}.py" for name in ("training/loop", "training/optimizers", "splits", "streams")]
        sources += [*ROOT.glob("lmia/models/*.py"), *ROOT.glob("lmia/data/*.py"), Path(subjects.__file__)]
        self.trained = [source, seed, device.type, subjects.TRAINING, _code(sources)]
        own = (art_classifier, engine, rivals, subjects)
        sources = [*ROOT.glob("lmia/**/*.py"), *(Path(module.__file__) for module in own)]
        versions = [version(package) for package in self.packages]
        self.measured = [source, seed, describe(device), asdict(scale), _code([*sources, Path(__file__)]), versions]

    def file(self, settings, *names):
        digest = hashlib.sha256(json.dumps([settings, names], default=str).encode()).hexdigest()[:8]
        return self.work / f"{'-'.join(str(name).replace(' ', '-') for name in names)}-{digest}.npz"

    def data(self, model, role):
        settings = [self.trained, self.scale.n_train[model], self.scale.points[model]]
        return self.file(settings, model, role, "data")

    def network(self, model, role):
        settings = [self.trained, self.scale.n_train[model], self.scale.max_epochs[model]]
        return self.file(settings, model, role, "network")

    def run(self, model, role, tool, block):
        return self.file(self.measured, model, role, *asdict(tool).values(), f"block{block}")

    def prepare(self, model):
        """Draw the points of all roles; references are not attacked."""
        files = [self.data(model, role) for role in ROLES]
        if all(file.exists() for file in files):
            return
        n_train = self.scale.n_train[model]
        inputs, classes = subjects.load_data(model, self.npz, self.archive, 5 * n_train, self.seed)
        n_points = [*self.scale.points[model], *(0 for _ in REFERENCES)]
        for role, file, n in zip(ROLES, files, n_points, strict=True):
            save(file, subjects.draw_points(inputs, classes, role, n_train, n, self.seed))

    def fit(self, model, role):
        settings = model, self.scale.max_epochs[model], len(ROLES) * self.seed + [*ROLES].index(role), self.device
        return Job(self.network(model, role), subjects.fit, (self.data(model, role), *settings))

    def attacks(self, model, role, tools):
        """Every block by every tool, by each of them first in turn."""
        for block in range(self.scale.blocks):
            start = block % len(tools)
            for tool in tools[start:] + tools[:start]:
                yield self.attack(model, role, tool, block)

    def attack(self, model, role, tool, block=0):
        economical = [self.run(model, "shadow", OURS[1], number) for number in range(self.scale.blocks)]
        shadow = self.data(model, "shadow"), economical
        files = self.data(model, role), self.network(model, role), self.device
        references = [(self.data(model, name), self.network(model, name)) for name in REFERENCES]
        arguments = tool, self.scale, self.seed, model, *files, block, self.batches(model).path, shadow, references
        return Job(self.run(model, role, tool, block), attack, arguments)

    def batches(self, name):
        """The job that finds the best batch sizes of a network in engine.NETWORKS."""
        return Job(self.file(self.measured, "engine", name, "batches"), engine.best_batches, self.engine_files(name))

    def engine_files(self, name):
        trained = name if name in subjects.BUILD else "mlp-digits"
        return self.data(trained, "target"), self.network(trained, "target"), name, self.device

    def engines(self):
        """(network, method, job) of every measurement of the engine."""
        for name in self.scale.queries:
            files = *self.engine_files(name), self.batches(name).path
            amount = self.scale.queries[name], self.scale.economical, self.scale.seconds
            for method in ("published", "economical", *engine.FIXED):  # warm needs models beside it
                if name != "mlp-tabular" or method not in engine.IMAGES_ONLY:
                    file = self.file(self.measured, "engine", name, method)
                    yield name, method, Job(file, engine.measure, (*files, method, *amount))

    def scaling(self):
        """(what varies, its value, jobs side by side) of every measurement of growth."""
        n, budget = self.scale.scaling_points, self.scale.scaling_budget
        for points in self.scale.scaling:
            yield "points", points, [self.scaled(range(points), budget)]
        for chunk in self.scale.chunks:
            yield "values per chunk", chunk, [self.scaled(range(n), budget, chunk=chunk)]
        if not self.scale.processes:
            return
        yield "threads of one process", 2, [self.scaled(range(n), budget, threads=2)]
        halves = range(n // 2), range(n // 2, n)
        yield "processes of one thread", 2, [self.scaled(half, budget) for half in halves]

    def scaled(self, numbers, budget, chunk=None, threads=1):
        file = self.file(self.measured, "scaling", numbers[0], len(numbers), chunk, threads)
        files = self.data("cnn", "target"), self.network("cnn", "target"), self.device
        return Job(file, engine.scale, (*files, numbers, budget, chunk, threads))


def _code(files):
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()


def train_all(study, roles):
    """Draw points and train models of these roles, where that is not done yet, as with all that follows."""
    for model in study.scale.n_train:
        study.prepare(model)
    jobs = [study.fit(model, role) for role in roles for model in study.scale.n_train]
    side_by_side(study.device, jobs[::2], jobs[1::2])


def search_all(study):
    """Run every tool on every point; `learn_to_stop` needs all the others."""
    run, models = partial(side_by_side, study.device), list(study.scale.n_train)
    run([study.batches(name) for name in models])
    tools = [tool for tool in study.tools if tool not in (STOPPING, *CALIBRATED)]
    target_jobs = [job for model in models for job in study.attacks(model, "target", [*tools, CEILING])]
    shadow_jobs = [job for model in models for job in study.attacks(model, "shadow", tools)]
    run(target_jobs, shadow_jobs)


def measure_engines(study):
    """Measure our engines beside their ceilings."""
    side_by_side(study.device, [study.batches(name) for name in study.scale.queries])
    side_by_side(study.device, [job for _, _, job in study.engines()])


def measure_beside(study):
    """Measure what is compared with, and how the engine does: distances by gradients, stopping, ceilings, scaling."""
    run, models = partial(side_by_side, study.device), list(study.scale.n_train)
    run(*([study.attack(model, "target", WHITE_BOX)] for model in models))
    second = [STOPPING, CEILING_OF_STOPPING]
    run([job for model in models for job in study.attacks(model, "target", second)])
    measure_engines(study)
    for _, _, jobs in study.scaling():
        run(*([job] for job in jobs))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for tables, figure and unfinished work")
    parser.add_argument("--data", type=Path, help="CIFAR-10 as .npz; made-up images where it is left out")
    parser.add_argument("--location", type=Path, help="the archive of Location; no table where it is left out")
    parser.add_argument("--quick", action="store_true", help="all of it at a small scale, in minutes")
    parser.add_argument("--members", type=int, help="members of the target to attack, and as many non-members")
    parser.add_argument("--shadow", type=int, help="the same of the shadow")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu", help="cpu, or cuda, whose seconds are wall seconds")
    parts = parser.add_mutually_exclusive_group()
    parts.add_argument("--ours", action="store_true", help="our searches to their end and nothing else, of more points")
    parts.add_argument("--engines", action="store_true", help="our engines beside their ceilings and nothing else")
    parts.add_argument("--answers", action="store_true", help="the searches of all tools and nothing else")
    parser.add_argument("--only", choices=FULL.n_train, help="the searches around one network")
    options = parser.parse_args()
    named = [name for name in ("ours", "engines", "answers") if getattr(options, name)]
    part = named[0] if named else "whole"
    if options.only and part not in ("ours", "answers"):
        parser.error("--only needs --ours or --answers: engines are measured around all networks")
    device = resolve(options.device)
    missing = [name for name in ("art", "foolbox") if importlib.util.find_spec(name) is None]
    if missing and part in ("whole", "answers"):
        parser.exit(1, f"{' and '.join(missing)} not installed; what is compared needs: {rivals.INSTALL}\n")
    scale = QUICK if options.quick else GPU if device.type == "cuda" else FULL
    asked = options.members, options.shadow
    points = {
        model: tuple(min(more or n, scale.n_train[model]) for more, n in zip(asked, given, strict=True))
        for model, given in scale.points.items()
    }
    scale = replace(scale, points=points)
    if options.location is None:
        scale = replace(scale, n_train={model: n for model, n in scale.n_train.items() if model != "mlp-location"})
    if options.only:
        if options.only not in scale.n_train:
            parser.error("--only mlp-location needs --location")
        scale = replace(scale, n_train={options.only: scale.n_train[options.only]})
    study = Study(scale, options.out, options.data, options.location, options.seed, device, part)
    train_all(study, ATTACKED[:1] if options.engines else ROLES)
    if options.engines:
        measure_engines(study)
    else:
        search_all(study)
        if study.is_whole:
            measure_beside(study)
    import comparison  # here, because the measuring processes import this file, and not what only draws

    write = comparison.write_engines if options.engines else comparison.write
    write(study, options.out)


if __name__ == "__main__":
    main()
