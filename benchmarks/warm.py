"""Warm searches beside the published one: AUC at few queries a point, of the distance and of the calibrated distance.

A split has a target and three shadows, as `splits: disjoint` draws them. The target's warm search starts at the first
two shadows; a shadow's at the first two of the others that were not trained on a point. The calibrated rule learns
from all shadows. Each subject is run where its data are given; rows are added as splits end, and those that are there
are not run again. Prints differences to the published search at 2,500 queries, and between the two scores. Run from
the repository root:
python benchmarks/warm.py --out CSV [--location TGZ] [--digits] [--mnist NPZ] [--cifar NPZ] [--splits 5]
"""

import argparse
import csv
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lmia.attacks.calibrated_distance import Attack as CalibratedDistance  # noqa: E402
from lmia.attacks.observations import Distances  # noqa: E402
from lmia.boundary.hopskipjump import hopskipjump  # noqa: E402
from lmia.boundary.references import reference_crossings  # noqa: E402
from lmia.boundary.schedules import SCHEDULES  # noqa: E402
from lmia.boundary.starts import beyond, nearest_others  # noqa: E402
from lmia.data import digits, location  # noqa: E402
from lmia.defenses import base  # noqa: E402
from lmia.evaluation.metrics import auc  # noqa: E402
from lmia.models import cnn, mlp  # noqa: E402
from lmia.queries.oracle import LabelOracle  # noqa: E402
from lmia.splits import draw_split  # noqa: E402
from lmia.streams import stream, streams  # noqa: E402
from lmia.training.loop import train  # noqa: E402
from lmia.training.options import TrainingOptions  # noqa: E402

BUDGETS = {"warm": (15, 30, 45, 60, 75, 100), "economical": (75, 250), "published": (250, 1000, 2500)}
N_SHADOWS, N_REFERENCES, POOL = 3, 2, 2000
TRAINING = {"learning_rate": 1e-3, "batch_size": 100, "min_delta": 0.005, "patience": 20, "max_epochs": 300}
COLUMNS = ("subject", "split", "search", "score", "budget", "queries_mean", "auc", "difference", "variance", "cpu")
COLUMNS += ("no_reference",)
NUMBERS = ("queries_mean", "auc", "difference", "variance")


@dataclass(frozen=True)
class Subject:
    """load: path -> (inputs in [0, 1], classes); n_train: members of a model; n_points: of either kind asked about."""

    load: object
    build: object
    n_train: int
    n_points: int


def images(path, channels, noise):
    """All images of an .npz file under fixed white noise, (n, channels, height, width), and classes (n,)."""
    with np.load(path) as file:
        pixels, classes = (np.concatenate([file[f"{name}_{part}"] for part in ("train", "test")]) for name in "xy")
    pixels = pixels.reshape(*pixels.shape[:3], channels).transpose(0, 3, 1, 2).astype(np.float32) / 255
    made = stream(0, "fixed pixel noise").standard_normal(pixels.shape, dtype=np.float32)
    return np.clip(pixels + noise * made, 0, 1), classes.astype(np.int64)


SMALL_CNN = partial(cnn.build, channels=(16, 32), convolutions=1, dense=64)
SUBJECTS = {
    "location": Subject(location.load, mlp.build, 1000, 300),
    "digits": Subject(lambda path: digits.load(pixel_noise=0.3), SMALL_CNN, 150, 150),
    "mnist": Subject(partial(images, channels=1, noise=0.4), mlp.build, 500, 300),
    "cifar": Subject(partial(images, channels=3, noise=0.0), SMALL_CNN, 500, 100),
}


class Split:
    """Target and shadows of one split, what they are asked about, and their searches."""

    def __init__(self, subject, inputs, classes, seed):
        self.inputs, self.classes, self.seed = inputs, classes, seed
        self.models, self.members, self.asked, self.rest = [], [], [], []
        for number in range(-1, N_SHADOWS):
            role = "target" if number < 0 else "shadow"
            split = draw_split(len(inputs), subject.n_train, seed, max(number, 0))
            members, others = split.members(role), split.nonmembers(role)
            draw = stream(seed, "benchmark points, warm", number + 1)
            ids = [draw.choice(kind, subject.n_points, replace=False) for kind in (members, others)]
            start = int(stream(seed, "benchmark training, warm", number + 1).integers(2**31))
            n_classes, options = int(classes.max()) + 1, TrainingOptions(**TRAINING)
            network, _ = train(
                subject.build, inputs[members], classes[members], n_classes, start, base.Defense(), options
            )
            self.models.append(network.eval())
            self.members.append(members)
            self.asked.append(np.sort(np.concatenate(ids)))
            rest = np.setdiff1d(np.arange(len(inputs)), split.evaluated(role))
            self.rest.append(draw.choice(rest, min(POOL, len(rest)), replace=False))

    def is_member(self, number):
        return np.isin(self.asked[number], self.members[number])

    def references(self, number):
        """(rows, networks) for the points of a model: 0 is the target, others are shadows."""
        ids, others = self.asked[number], [other for other in range(1, N_SHADOWS + 1) if other != number]
        others = [other for other in others if other > number] + [other for other in others if other < number]
        is_out = np.stack([~np.isin(ids, self.members[other]) for other in others], axis=1)
        chosen = is_out & (is_out.cumsum(axis=1) <= N_REFERENCES)
        for used in np.unique(chosen, axis=0):
            if used.any():
                networks = [self.models[other] for other, is_used in zip(others, used, strict=True) if is_used]
                yield np.flatnonzero((chosen == used).all(axis=1)), networks

    def search(self, number, name):
        """(Distances, CPU seconds) of one model's points."""
        start, ids, rest = time.process_time(), self.asked[number], self.rest[number]
        x, y, beside = self.inputs[ids], self.classes[ids], None
        others = nearest_others(x, y, self.inputs[rest], self.classes[rest])
        starts = {"starts": others}
        if name == "warm":
            crossings, beside = reference_crossings(list(self.references(number)), x, y.numpy())
            starts = {"starts": beyond(x, crossings, others)}
        elif name == "published":
            starts = {"last_starts": others}
        oracle = LabelOracle(self.models[number], len(ids), max(BUDGETS[name]))
        draws = streams(self.seed, f"benchmark, warm, {number}", ids)
        distance, n_queries, _ = hopskipjump(oracle, x, y, draws, schedule=SCHEDULES[name], **starts)
        found = Distances(distance[:, None], n_queries[:, None], y.numpy(), reference_distance=beside)
        return found, time.process_time() - start


def rows_of(split):
    """Rows of one split: for each search, score and budget."""
    is_member = split.is_member(0)
    found = {name: split.search(0, name) for name in BUDGETS}
    shadows = [split.search(number, "warm")[0] for number in range(1, N_SHADOWS + 1)]
    shadow, of_shadows = (
        Distances.concatenate(shadows),
        np.concatenate([split.is_member(number) for number in range(1, N_SHADOWS + 1)]),
    )
    missing = float(np.isnan(shadow.reference_distance).mean())
    goal = found["published"][0].features()[:, 0]
    gap = (goal > 0).astype(float)
    yield _row(("labels alone", "distance", 1), gap, np.ones(1), goal, is_member, 0.0, missing)
    for name, (course, cpu) in found.items():
        for budget in BUDGETS[name]:
            cut = course.cut(budget)
            scores = {"distance": cut.features()[:, 0]}
            if name == "warm":
                scores["calibrated"] = CalibratedDistance().fit(shadow.cut(budget), of_shadows).score(cut)
            for kind, score in scores.items():
                yield _row((name, kind, budget), score, cut.queries(), goal, is_member, cpu, missing)


def _row(names, score, queries, goal, is_member, cpu, missing):
    difference, variance = paired(score, goal, is_member)
    numbers = (queries.mean(), auc(score, is_member), difference, variance, cpu, missing)
    return (*names, *(float(f"{number:.6g}") for number in numbers))


def paired(score, goal, is_member):
    """(difference of the AUCs of two scores of the same points, its variance over points: DeLong et al. 1988)."""
    parts = [_placements(of, is_member) for of in (score, goal)]
    differences = [one - other for one, other in zip(*parts, strict=True)]
    return differences[0].mean(), sum(part.var(ddof=1) / len(part) for part in differences)


def _placements(score, is_member):
    """For each member the share of others below it, and for each other that of members above, ties by half."""
    kinds, ranks = (is_member, ~is_member), stats.rankdata(score)
    n, m = (kind.sum() for kind in kinds)
    within = [stats.rankdata(score[kind]) for kind in kinds]
    return (ranks[is_member] - within[0]) / m, 1 - (ranks[~is_member] - within[1]) / n


def summary(rows):
    """Lines: mean AUC of each subject, search and budget, and its difference to the published search at its end.

    A 95 % interval is Student's over the splits, and no narrower than that of all their points.
    """
    table = {}
    for row in rows:
        key = tuple(str(row[name]) for name in COLUMNS[:5] if name != "split")
        table.setdefault(key, []).append([float(row[name]) for name in NUMBERS])
    for (subject, *names), found in table.items():
        queries, area, differences, variances = np.array(found).T
        k = len(found)
        spread = stats.sem(differences) * stats.t.ppf(0.975, k - 1) if k > 1 else 0.0
        half = max(spread, 1.96 * np.sqrt(variances.sum()) / k)
        low, high = differences.mean() - half, differences.mean() + half
        yield (
            f"{subject}, {k} splits | {' '.join(names)} | {queries.mean():.1f} queries | "
            f"AUC {area.mean():.3f} | {differences.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
        )


def beside(rows):
    """Lines: AUC of the calibrated distance less that of the distance, of the same searches, over splits by Student."""
    found = {}
    for row in (row for row in rows if row["search"] == "warm"):
        areas = found.setdefault((row["subject"], int(row["budget"])), {}).setdefault(int(row["split"]), {})
        areas[row["score"]] = float(row["auc"])
    for (subject, budget), splits in found.items():
        apart = np.array([areas["calibrated"] - areas["distance"] for areas in splits.values()])
        half = stats.sem(apart) * stats.t.ppf(0.975, len(apart) - 1) if len(apart) > 1 else np.nan
        low, high = apart.mean() - half, apart.mean() + half
        interval = f"{apart.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
        yield f"{subject}, {len(apart)} splits | calibrated less distance {budget} | {interval}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the .csv file that rows are added to")
    parser.add_argument("--location", help="its archive")
    parser.add_argument("--digits", action="store_const", const="", help="scikit-learn's, which need no file")
    for name in ("mnist", "cifar"):
        parser.add_argument(f"--{name}", help="its .npz file")
    parser.add_argument("--splits", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = list(csv.DictReader(arguments.out.open())) if arguments.out.exists() else []
    done = {(row["subject"], int(row["split"])) for row in rows}
    if not rows:
        arguments.out.write_text(",".join(COLUMNS) + "\n")
    for name, subject in SUBJECTS.items():
        seeds = [seed for seed in range(arguments.splits) if (name, seed) not in done]
        if (path := getattr(arguments, name)) is None or not seeds:
            continue
        inputs, classes = (torch.from_numpy(array) for array in subject.load(path))
        for seed in seeds:
            made = [(name, seed, *row) for row in rows_of(Split(subject, inputs, classes, seed))]
            rows += [dict(zip(COLUMNS, row, strict=True)) for row in made]
            with arguments.out.open("a", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows(made)
    print("\n".join([*summary(rows), *beside(rows)]))


if __name__ == "__main__":
    main()
