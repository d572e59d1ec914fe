"""What labels cost in float32, in bfloat16, and by `precision: auto`, and how many of them differ from float32's.

Random copies and searches around points of a small CNN and an MLP, each trained on 300 images. CPU seconds of one
thread, the least of some runs that take turns, as ratios to float32. Run from the repository root:
python benchmarks/precision.py [--cifar NPZ] [--mnist NPZ] > benchmarks/results/precision.csv
Without files, images are made up.
"""

import argparse
import csv
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from subjects import load_data  # noqa: E402

from lmia.boundary.hopskipjump import hopskipjump  # noqa: E402
from lmia.boundary.schedules import SCHEDULES  # noqa: E402
from lmia.boundary.starts import nearest_others  # noqa: E402
from lmia.defenses import base  # noqa: E402
from lmia.models import cnn, mlp  # noqa: E402
from lmia.perturbations import gaussian, rotation  # noqa: E402
from lmia.queries.fixed_queries import ask_fixed  # noqa: E402
from lmia.queries.oracle import AUTO, LabelOracle  # noqa: E402
from lmia.streams import streams  # noqa: E402
from lmia.training.loop import train  # noqa: E402
from lmia.training.options import TrainingOptions  # noqa: E402

MEMBERS, POINTS, POOL = 300, 50, slice(2000, 4000)  # POINTS of the members, and as many others
TRAINING = TrainingOptions(learning_rate=1e-3, batch_size=100, min_delta=0.005, patience=10, max_epochs=60)
PRECISIONS = ("float32", AUTO, "bfloat16")
COLUMNS = ("network", "queries", "precision", "labels", "cpu", "ratio", "answers_differing", "disagreement")
COPIES = {
    **{f"noise {sigma}": gaussian.Perturbation(sigmas=[sigma], samples=100) for sigma in (0.02, 0.06, 0.2)},
    "rotation": rotation.Perturbation(degrees=list(range(1, 16))),
}
SEARCHES = {"economical": 250, "published": 1000}  # schedule -> budget


class Subject:
    """A trained network, and what it is asked about."""

    def __init__(self, build, inputs, classes):
        inputs = inputs.astype(np.float32) / (255 if inputs.dtype == np.uint8 else 1)
        members = torch.from_numpy(inputs[:MEMBERS]), torch.from_numpy(classes[:MEMBERS])
        self.model, _ = train(build, *members, 10, 0, base.Defense(), TRAINING)
        rows = np.concatenate([np.arange(POINTS), np.arange(MEMBERS, MEMBERS + POINTS)])
        self.model.eval()
        self.inputs, self.classes = torch.from_numpy(inputs[rows]), classes[rows]
        self.pool = torch.from_numpy(inputs[POOL]), classes[POOL]

    def draws(self):
        return streams(0, "benchmark, precision", range(len(self.inputs)))

    def ask(self, perturbation, precision):
        """(labels, their number, disagreement)"""
        options = {"precision": precision, "most_disagreement": 1.0}
        labels, asked = ask_fixed(self.model, self.inputs, perturbation, self.draws, **options)
        return labels, labels.size, asked["disagreement"]

    def search(self, schedule, budget, precision):
        """(last distances, number of labels, disagreement)"""
        oracle = LabelOracle(self.model, len(self.inputs), budget, precision)
        starts = nearest_others(self.inputs, self.classes, *self.pool)
        options = {"schedule": SCHEDULES[schedule], "starts": starts}
        distance, n_queries, _ = hopskipjump(oracle, self.inputs, self.classes, self.draws(), **options)
        return distance[:, -1], int(n_queries[:, -1].sum()), oracle.disagreement


def rows_of(network, subject, repetitions):
    jobs = {name: partial(subject.ask, perturbation) for name, perturbation in COPIES.items()}
    jobs |= {f"search, {name}": partial(subject.search, name, budget) for name, budget in SEARCHES.items()}
    for name, job in jobs.items():
        seconds, found = {precision: [] for precision in PRECISIONS}, {}
        for _ in range(repetitions):
            for precision in PRECISIONS:
                start = time.process_time()
                found[precision] = job(precision)
                seconds[precision].append(time.process_time() - start)
        least = {precision: min(each) for precision, each in seconds.items()}
        for precision, (answers, labels, disagreement) in found.items():
            differing = float((answers != found["float32"][0]).mean())
            told = "" if disagreement is None else f"{disagreement:.4g}"
            numbers = (labels, f"{least[precision]:.3g}", f"{least[precision] / least['float32']:.2f}")
            yield (network, name, precision, *numbers, f"{differing:.4g}", told)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cifar", help="its .npz file; made up without one")
    parser.add_argument("--mnist", help="its .npz file; left out without one")
    parser.add_argument("--repetitions", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(1)
    subjects = {"CNN, 32x32x3": Subject(cnn.build, *load_data("cnn", args.cifar, None, 5000, 0))}
    if args.mnist:
        with np.load(args.mnist) as file:
            images, classes = file["x_train"][:, None], file["y_train"].astype(np.int64)
        subjects["MLP, 28x28"] = Subject(partial(mlp.build, hidden=[128]), images, classes)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    for network, subject in subjects.items():
        for row in rows_of(network, subject, args.repetitions):
            writer.writerow(row)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
