"""Where searches find a start: uniform noise, as published, against real points of another class, and both in turn.

Adult (FOLDER holds adult.data and adult.test) with the paper's network on [0, 1] inputs, and digits with an MLP; a
target each. Starts of a search: 100 uniformly random points; these and then, where all have failed, the ten nearest
points of another class; or those points first, as the workflow's searches have them. Prints a table and writes it: how
many of the points that are searched started where, what that cost, and the AUC at the budget. Run from the repository
root: python benchmarks/starts.py --out CSV [--adult FOLDER]
"""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from warm import TRAINING  # noqa: E402

from lmia.boundary.hopskipjump import hopskipjump  # noqa: E402
from lmia.boundary.schedules import PUBLISHED  # noqa: E402
from lmia.boundary.starts import N_STARTS, nearest_others  # noqa: E402
from lmia.data import adult, digits  # noqa: E402
from lmia.defenses import base  # noqa: E402
from lmia.evaluation.metrics import auc  # noqa: E402
from lmia.models import mlp  # noqa: E402
from lmia.queries.oracle import LabelOracle  # noqa: E402
from lmia.splits import draw_split  # noqa: E402
from lmia.streams import stream, streams  # noqa: E402
from lmia.training.loop import train  # noqa: E402
from lmia.training.options import TrainingOptions  # noqa: E402

POOL, BUDGET, TRIES = 2000, 1000, 100


def rows_of(name, inputs, classes, n_train, n_points):
    split, draw = draw_split(len(inputs), n_train, 0), stream(0, "benchmark, starts")
    inputs, classes = torch.from_numpy(inputs), torch.from_numpy(classes)
    members, options = split.target_members, TrainingOptions(**TRAINING)
    n_classes = int(classes.max()) + 1
    model, _ = train(mlp.build, inputs[members], classes[members], n_classes, 0, base.Defense(), options)
    kinds = split.target_members, split.target_nonmembers
    ids = np.sort(np.concatenate([draw.choice(kind, n_points, replace=False) for kind in kinds]))
    rest = draw.permutation(np.setdiff1d(np.arange(len(inputs)), split.evaluated("target")))[:POOL]
    x, y = inputs[ids], classes[ids]

    def others():
        return nearest_others(x, y, inputs[rest], classes[rest])

    for order, starts in {
        "noise": {},
        "noise, then others": {"last_starts": others()},
        "others, then noise": {"starts": others()},
    }.items():
        oracle = LabelOracle(model.eval(), len(ids), BUDGET)
        distance, queries, _ = hopskipjump(
            oracle, x, y, streams(0, "starts", ids), schedule=PUBLISHED, init_tries=TRIES, **starts
        )
        searched = distance[:, 0] > 0
        tried = queries[searched, 1] - 1 - PUBLISHED.halvings_in(x[0].numel())
        found = np.isfinite(distance[searched, 1])
        n_first = 0 if order.startswith("noise") else N_STARTS
        is_noise = found & (tried > n_first) & (tried <= n_first + TRIES)
        yield {
            "subject": name,
            "starts": order,
            "searched": int(searched.sum()),
            "at_noise": int(is_noise.sum()),
            "at_others": int((found & ~is_noise).sum()),
            "censored": int((~found).sum()),
            "queries_mean": round(float(oracle.n_queries.mean()), 1),
            "auc": round(float(auc(distance[:, -1], split.is_member("target", ids))), 4),
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="table to write, .csv")
    parser.add_argument("--adult", help="folder with adult.data and adult.test; left out without it")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    subjects = {"digits, MLP": (*digits.load(pixel_noise=0.3), 200, 200)}
    if arguments.adult:
        subjects["Adult, MLP"] = (*adult.load(arguments.adult), 10000, 300)
    rows = [row for name, subject in subjects.items() for row in rows_of(name, *subject)]
    with arguments.out.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    for row in rows:
        print("  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
