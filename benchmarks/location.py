"""What the economical search costs on Location, over many splits: its AUC less that of the published one.

Each split trains the MLP of the configurations on 1,000 records, and searches around 300 of them and 300 others. Writes
rows as splits end, does not run again what is there, and prints mean differences to the published search at 2,500
queries, with Student's 95 % intervals over the splits. Run from the repository root:
python benchmarks/location.py TGZ --out CSV [--splits 40]
"""

import argparse
import csv
import sys
import time
from pathlib import Path

import numpy as np
import torch
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lmia.boundary.hopskipjump import hopskipjump  # noqa: E402
from lmia.boundary.schedules import SCHEDULES  # noqa: E402
from lmia.boundary.starts import nearest_others  # noqa: E402
from lmia.data import location  # noqa: E402
from lmia.defenses import base  # noqa: E402
from lmia.evaluation.metrics import auc  # noqa: E402
from lmia.models import mlp  # noqa: E402
from lmia.queries.oracle import LabelOracle  # noqa: E402
from lmia.splits import draw_split  # noqa: E402
from lmia.streams import stream, streams  # noqa: E402
from lmia.training.loop import train  # noqa: E402
from lmia.training.options import TrainingOptions  # noqa: E402

BUDGETS = {"published": (250, 1000, 2500), "economical": (100, 250, 500, 1000, 2500)}
TRAINING = {"learning_rate": 1e-3, "batch_size": 100, "min_delta": 0.005, "patience": 20, "max_epochs": 1000}
N_TRAIN, N_POINTS, POOL = 1000, 300, 2000
COLUMNS = ("split", "schedule", "budget", "queries_mean", "median_distance", "auc", "cpu_seconds", "test_accuracy")


def rows_of(inputs, classes, seed):
    """Rows of one split, one for each schedule and budget."""
    split = draw_split(len(inputs), N_TRAIN, seed)
    members, others = split.target_members, split.target_nonmembers
    options = TrainingOptions(**TRAINING)
    network, _ = train(mlp.build, inputs[members], classes[members], location.N_CLASSES, seed, base.Defense(), options)
    with torch.inference_mode():
        right = (network(inputs[others]).argmax(1) == classes[others]).float().mean().item()
    draw = stream(seed, "benchmark points, tables")
    ids = np.sort(np.concatenate([draw.choice(kind, N_POINTS, replace=False) for kind in (members, others)]))
    rest = draw.choice(np.setdiff1d(np.arange(len(inputs)), split.evaluated("target")), POOL, replace=False)
    is_member = split.is_member("target", ids)
    for name, budgets in BUDGETS.items():
        starts = nearest_others(inputs[ids], classes[ids], inputs[rest], classes[rest]) if name != "published" else ()
        oracle, draws = LabelOracle(network, len(ids), max(budgets)), streams(seed, "benchmark, tables", ids)
        start = time.process_time()
        found, spent, _ = hopskipjump(oracle, inputs[ids], classes[ids], draws, schedule=SCHEDULES[name], starts=starts)
        seconds = time.process_time() - start
        for budget in budgets:
            last = np.maximum((spent <= budget).sum(axis=1) - 1, 0)
            scores, asked = (course[np.arange(len(ids)), last] for course in (found, spent))
            numbers = (asked.mean(), np.median(scores[scores > 0]), auc(scores, is_member), seconds, right)
            yield seed, name, budget, *(round(float(number), 4) for number in numbers)


def summary(rows):
    """Lines: for each schedule and budget its AUC less that of the published search at its end, paired by split."""
    values = {(int(row["split"]), row["schedule"], int(row["budget"])): float(row["auc"]) for row in rows}
    goal = {split: value for (split, name, budget), value in values.items() if (name, budget) == ("published", 2500)}
    yield f"{len(goal)} splits; published at 2500: AUC {np.mean(list(goal.values())):.4f}"
    for name, budget in dict.fromkeys(key[1:] for key in values):
        paired = [value - goal[key[0]] for key, value in values.items() if key[1:] == (name, budget)]
        half = stats.sem(paired) * stats.t.ppf(0.975, len(paired) - 1)
        yield f"{name}, {budget}: {np.mean(paired):+.4f} [{np.mean(paired) - half:+.4f}, {np.mean(paired) + half:+.4f}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("archive", help="Location's")
    parser.add_argument("--out", type=Path, required=True, help="the .csv file that rows are added to")
    parser.add_argument("--splits", type=int, default=40)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    inputs, classes = (torch.from_numpy(array) for array in location.load(arguments.archive))
    if not arguments.out.exists():
        arguments.out.write_text(",".join(COLUMNS) + "\n")
    done = {int(row["split"]) for row in csv.DictReader(arguments.out.open())}
    for seed in sorted({*range(arguments.splits)} - done):
        rows = list(rows_of(inputs, classes, seed))
        with arguments.out.open("a", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
    print("\n".join(summary(csv.DictReader(arguments.out.open()))))


if __name__ == "__main__":
    main()
