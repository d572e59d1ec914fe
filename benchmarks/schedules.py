"""What the economical schedule was chosen on: variants of it on shadow models, beside the published one.

Nothing here is a model or a split that results are reported on: shadows of seeds 100 and up, on scikit-learn's digits
or on the first ten classes of the images in an .npz file (x_train, y_train, x_test, y_test; CIFAR-100 was used).
Prints a Markdown table: CPU seconds, then "median distance / AUC" at each budget. Run from the repository root:
python benchmarks/schedules.py [--data NPZ] [--model mlp|cnn]
"""

import argparse
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lmia.boundary.hopskipjump import hopskipjump  # noqa: E402
from lmia.boundary.schedules import ECONOMICAL, PUBLISHED  # noqa: E402
from lmia.boundary.starts import nearest_others  # noqa: E402
from lmia.data.digits import load  # noqa: E402
from lmia.defenses import base  # noqa: E402
from lmia.evaluation.metrics import auc  # noqa: E402
from lmia.models import cnn, mlp  # noqa: E402
from lmia.queries.oracle import LabelOracle  # noqa: E402
from lmia.splits import draw_split  # noqa: E402
from lmia.streams import streams  # noqa: E402
from lmia.training.loop import train  # noqa: E402
from lmia.training.options import TrainingOptions  # noqa: E402

BUDGETS = (25, 50, 100, 150, 250, 350, 1000, 2500)
VARIANTS = [
    {},
    {"initial_probes": 10},
    {"initial_probes": 40},
    {"memory": 0.0},
    {"memory": 0.8},
    {"radius": 0.03},
    {"radius": 0.2},
    {"radius": None},
    {"halvings": 8},
    {"grid": None},
    {"grid": 5},
    {"grid": 12},
    {"move": "jump"},
]
TRAINING = {"learning_rate": 1e-3, "min_delta": 0.005, "patience": 20, "max_epochs": 1000}


def load_images(path):
    """The first ten classes of an .npz file: inputs (n, channels, height, width) in [0, 1], and classes (n,)."""
    with np.load(path) as file:
        images, classes = (np.concatenate([file[f"{name}_train"], file[f"{name}_test"]]) for name in "xy")
    keep = classes < 10
    return np.moveaxis(images[keep], -1, 1).astype(np.float32) / 255, classes[keep]


def train_shadows(inputs, classes, build, n_train, batch_size, seeds, n_points):
    """For each seed (model, ids of the points that it is asked about, which of them are members)."""
    for seed in seeds:
        split = draw_split(len(inputs), n_train, seed)
        members = split.members("shadow")
        options = TrainingOptions(batch_size=batch_size, **TRAINING)
        model, _ = train(build, inputs[members], classes[members], 10, seed, base.Defense(), options)
        ids = np.concatenate([members[: n_points // 2], split.nonmembers("shadow")[: n_points // 2]])
        yield model, ids, split.is_member("shadow", ids)


def search(inputs, classes, model, ids, schedule, budget):
    """(best, spent) of one shadow's points; the economical schedule and its variants start from the pool."""
    rest = np.setdiff1d(np.arange(len(inputs)), ids)[:2000]
    starts = nearest_others(inputs[ids], classes[ids], inputs[rest], classes[rest]) if schedule != PUBLISHED else ()
    oracle = LabelOracle(model, len(ids), budget)
    return hopskipjump(oracle, inputs[ids], classes[ids], streams(0, "design", ids), schedule=schedule, starts=starts)[
        :2
    ]


def row(inputs, classes, shadows, schedule, budget):
    """Table cells: mean over the shadows of CPU seconds, and of the median distance and the AUC at each budget."""
    start, cells = time.process_time(), []
    for model, ids, is_member in shadows:
        best, spent = search(inputs, classes, model, ids, schedule, budget)
        right = best[:, 0] > 0
        moments = [np.maximum((spent <= b).sum(axis=1) - 1, 0) for b in BUDGETS if b <= budget]
        scores = [best[np.arange(len(ids)), moment] for moment in moments]
        cells.append([(np.median(score[right]), auc(score, is_member)) for score in scores])
    seconds = (time.process_time() - start) / len(shadows)
    return [f"{seconds:.1f}"] + [f"{median:.2f} / {area:.3f}" for median, area in np.mean(cells, axis=0)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="an .npz file of images; default: scikit-learn's digits")
    parser.add_argument("--model", choices=["mlp", "cnn"], default="cnn")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    inputs, classes = load_images(arguments.data) if arguments.data else load(0.3)
    inputs, classes = torch.from_numpy(inputs), torch.from_numpy(classes)
    small = partial(cnn.build, channels=(16, 32), convolutions=1, dense=64)
    build = mlp.build if arguments.model == "mlp" else cnn.build if arguments.data else small
    sizes = (475, 100, [100, 101], 160) if arguments.data else (150, 50, [100, 101, 102, 103], 300)
    shadows = list(train_shadows(inputs, classes, build, *sizes))
    print("| schedule | s per shadow |", *(f"{budget} |" for budget in BUDGETS))
    print("| --- |" + " ---: |" * (len(BUDGETS) + 1))
    print("| published |", " | ".join(row(inputs, classes, shadows, PUBLISHED, 2500)), "|", flush=True)
    for variant in VARIANTS:
        name = ", ".join(f"{key} {value}" for key, value in variant.items()) or "economical"
        cells = row(inputs, classes, shadows, replace(ECONOMICAL, **variant), 350)
        print(f"| {name} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
