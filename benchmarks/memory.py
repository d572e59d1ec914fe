"""Peak memory of the stages that hold a data set, by stage: benchmarks/results/memory.csv.

Each stage is a process of its own with one thread, and does no more work than its peak needs: a budget of 60 queries,
two epochs. Points are images of 32 x 32 x 3 in float32, 12 KiB each; the data set of the jobs is an .npz of 614 MB.
Libraries are in every peak. Run from the repository root, with 2 GB of memory and 2 GB free in the temporary folder:
python benchmarks/memory.py
"""

import csv
import functools
import multiprocessing
import resource
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
SHAPE, EXAMPLES, MEMBERS = (3, 32, 32), 50_000, 5_000
OUT = ROOT / "benchmarks/results/memory.csv"


class Params(dict):
    """A job's params: by name, as keys and as attributes."""

    __getattr__ = dict.__getitem__


def libraries(folder):
    """What every job imports to ask a model."""
    import lmia.boundary.search  # noqa: F401
    import lmia.models.asked_models  # noqa: F401


def search(folder, points=1, **options):
    """Searches around so many points of a linear model, all of them right."""
    import torch

    from lmia.boundary.search import search_boundary
    from lmia.streams import streams

    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(int(np.prod(SHAPE)), 10))
    inputs, pool = torch.rand(points, *SHAPE), torch.rand(2000, *SHAPE)
    with torch.inference_mode():
        classes, pool_classes = (torch.cat([model(part).argmax(1) for part in x.split(1000)]) for x in (inputs, pool))
    draws = functools.partial(streams, 0)
    return search_boundary(
        model,
        inputs,
        classes.clone(),
        lambda copy: draws(f"copy {copy}", range(points)),
        pool=(pool, pool_classes.clone()),
        **options,
    )


def write_files(folder):
    """The user's data set, a split of it, and a model."""
    from lmia import artifacts

    draw = np.random.default_rng(0)
    np.savez(
        folder / "user.npz",
        inputs=draw.random((EXAMPLES, *SHAPE), dtype=np.float32),
        classes=draw.integers(10, size=EXAMPLES),
    )
    ids = draw.permutation(EXAMPLES)
    halves = {name: np.sort(ids[part])[None] for name, part in PARTS.items()}
    artifacts.save(folder / "split.npz", "split", halves, {})


PARTS = {"members": slice(MEMBERS), "nonmembers": slice(MEMBERS, 2 * MEMBERS)}


def prepare(folder):
    """`prepare_dataset`."""
    from workflow.scripts.prepare_dataset import prepare

    prepare(folder / "dataset.npz", "own", {"kind": "npz"}, {"path": str(folder / "user.npz")})


def train(folder):
    """`train_model`, an MLP on 5,000 members."""
    import torch

    from lmia.journal import Journal
    from workflow.scripts.train_model import train_models

    files = {name: folder / f"{name}.npz" for name in ("dataset", "split")}
    training = {"learning_rate": 1e-3, "batch_size": 100, "min_delta": 0.0, "patience": 2, "max_epochs": 2}
    params = Params(model={"kind": "mlp"}, defense={"kind": "none"}, training=training, seeds="0", role="target")
    train_models(files, folder / "model.npz", params, torch.device("cpu"), Journal(), "own")


def models(folder):
    """The trained model with the 10,000 points that it is asked about."""
    import torch

    from lmia.models.asked_models import TrainedModels

    files = SimpleNamespace(**{name: folder / f"{name}.npz" for name in ("dataset", "split", "model")})
    params = SimpleNamespace(model={"kind": "mlp"}, seeds="0", evaluated=None, pool=None)
    return TrainedModels(files, params, torch.device("cpu"), 1)


def ask(folder):
    """`query_labels`, ten noisy copies of each of 10,000 points."""
    from lmia.journal import Journal
    from workflow.scripts.query_labels import query_labels

    spec = {"kind": "gaussian", "sigmas": [0.1], "samples": 10}
    query_labels(models(folder), folder / "answers.npz", spec, {}, "noise", Journal())


def search_job(folder):
    """`search_boundary` around 10,000 points."""
    from lmia.journal import Journal
    from workflow.scripts.search_boundary import search

    spec = {"kind": "hopskipjump", "budget": 60, "random_inputs": 0}
    search(models(folder), folder / "distances.npz", spec, "boundary", {}, Journal())


STAGES = {  # in this order, as jobs read what earlier ones wrote
    "libraries": libraries,
    "economical search, 1,000 points": functools.partial(search, points=1_000, budget=60),
    "economical search, 10,000 points": functools.partial(search, points=10_000, budget=60),
    "economical search, 50,000 points": functools.partial(search, points=50_000, budget=60),
    "published search, 10,000 points": functools.partial(search, points=10_000, budget=150, schedule="published"),
    "search of 5 copies, 10,000 points": functools.partial(search, points=10_000, budget=300, shift_pixels=1),
    "prepare_dataset": prepare,
    "train_model": train,
    "query_labels": ask,
    "search_boundary": search_job,
}


def measure(function, folder, peak):
    from workflow.harness.freed_memory import keep_freed_memory

    keep_freed_memory()
    function(folder)
    peak.value = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main():
    context, rows = multiprocessing.get_context("spawn"), []
    with tempfile.TemporaryDirectory() as folder:
        writing = context.Process(target=write_files, args=(Path(folder),))
        writing.start()
        writing.join()
        for name, function in STAGES.items():
            peak = context.Value("d", 0)
            process = context.Process(target=measure, args=(function, Path(folder), peak))
            process.start()
            process.join()
            if process.exitcode:
                sys.exit(f"{name}: ended with exit status {process.exitcode}")
            rows.append({"stage": name, "peak_mb": round(peak.value)})
            print(rows[-1], flush=True)
    with open(OUT, "w", newline="") as file:
        table = csv.DictWriter(file, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


if __name__ == "__main__":
    main()
