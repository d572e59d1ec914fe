"""CPU time and memory of scoring a pool of 16 models and 5,000 examples by every calibrated rule, all in all.

Answers are made up, of the shapes of config/comparison.yaml. Run from the repository root:
python benchmarks/pool_scoring.py
"""

import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lmia.attacks.observation_files import ObservedModels  # noqa: E402
from lmia.attacks.observations import Answers, Confidences, Distances  # noqa: E402
from lmia.calibration import attack_p, attack_r, difference, lira, logistic, rmia  # noqa: E402
from lmia.calibration.scoring import score_targets  # noqa: E402
from lmia.splits import draw_pool  # noqa: E402

TABLE = Path(__file__).parent / "results/pool_scoring.csv"
MOMENTS, COPIES, GRID, POPULATION = 16, 64, 18, 1800


def observed(kind, n, rng):
    classes = np.zeros(n, int)
    if kind == "labels of a grid":
        return Answers((rng.random((n, GRID)) < 0.2).astype(int), classes, np.array([0.0] + [4.0] * (GRID - 1)))
    if kind == "labels of noise":
        return Answers((rng.random((n, 1 + COPIES)) < 0.2).astype(int), classes, np.array([0.0] + [0.1] * COPIES))
    if kind == "distances":
        course = np.sort(rng.lognormal(size=(n, 1, MOMENTS)))[:, :, ::-1]
        return Distances(course, np.tile(np.arange(1, 1 + MOMENTS) * 16, (n, 1, 1)), classes)
    raw = rng.random((n, 10))
    phi, population = rng.standard_normal(n), rng.standard_normal(POPULATION)
    return Confidences(raw / raw.sum(axis=1, keepdims=True), classes, phi, population)


RULES = [  # what is read, rule, budgets, numbers of shadows
    ("labels of a grid", "logistic", logistic.Calibration, (), ()),
    ("labels of noise", "difference", difference.Calibration, (), (2, 4, 8)),
    ("labels of noise", "lira", lira.Calibration, (9, 17, 33), (4, 8)),
    ("distances", "difference", difference.Calibration, (), (2, 4, 8)),
    ("distances", "lira", lira.Calibration, (25, 50, 100), (4, 8)),
    ("confidences", "lira", lira.Calibration, (), (4, 8)),
    ("confidences", "rmia", rmia.Calibration, (), ()),
    ("confidences", "attack_p", attack_p.Calibration, (), ()),
    ("confidences", "attack_r", attack_r.Calibration, (), ()),
]


def main():
    rows = []
    for n_models, n in ((16, 1250), (16, 5000), (32, 5000)):
        is_member, rng = draw_pool(range(n_models), n, 0), np.random.default_rng(0)
        for kind, rule, make, budgets, fewer in RULES:
            answers = [observed(kind, n, rng) for _ in range(n_models)]
            models = ObservedModels(answers, np.tile(np.arange(n), (n_models, 1)), "", [])
            start = time.process_time()
            score_targets(make, models, range(n_models), answers, is_member, None, budgets, fewer)
            seconds = round(time.process_time() - start, 2)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            same = {"models": n_models, "examples": n, "reads": kind, "rule": rule}
            rows.append(same | {"ways": 1 + len(budgets) + len(fewer), "cpu_s": seconds, "peak_mb_so_far": peak})
            print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    table.to_csv(TABLE, index=False)
    print(table.groupby(["models", "examples"])["cpu_s"].sum())


if __name__ == "__main__":
    main()
