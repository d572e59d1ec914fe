"""Plain and calibrated attacks on the same answers of a pool of networks, with intervals over models and points.

Two pools of digits MLPs are trained, asked and scored in some minutes on 2 cores. Run from the repository root:
python benchmarks/pools.py. Nothing is chosen by looking at the targets' membership: the settings are the defaults.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lmia  # noqa: E402
from lmia.data import digits  # noqa: E402
from lmia.defenses.base import Defense  # noqa: E402
from lmia.models import mlp  # noqa: E402
from lmia.queries.confidences import query_confidences  # noqa: E402
from lmia.streams import stream  # noqa: E402
from lmia.training.one_role import train_role  # noqa: E402
from lmia.training.options import TrainingOptions  # noqa: E402

TABLE = Path(__file__).parent / "results/pools.csv"
N, N_STARTS = 400, 1000  # points of the pool, and others among which searches start
OPTIONS = TrainingOptions(learning_rate=1e-3, batch_size=100, min_delta=0.005, patience=20, max_epochs=1000)
SIGMA, COPIES = 0.2, 100
ROWS = [  # name, what was asked, kind, options
    ("gap", "noise 1", "gap", {}),
    ("noise", "noise", "vote", {}),
    ("noise, difference", "noise", "difference", {}),
    ("noise, LiRA", "noise", "lira", {}),
    ("boundary", "boundary", "distance", {}),
    ("boundary, difference", "boundary", "difference", {}),
    ("boundary, LiRA offline", "boundary", "lira", {"online": False}),
    ("boundary, LiRA", "boundary", "lira", {}),
    ("boundary, LiRA, 4 shadows", "boundary", "lira", {"shadows": 4}),
    ("boundary, LiRA, 8 shadows", "boundary", "lira", {"shadows": 8}),
    ("boundary 50", "boundary 50", "distance", {}),
    ("boundary 50, LiRA", "boundary 50", "lira", {}),
    ("confidences", "confidences", "true_confidence", {}),
    ("confidences, LiRA", "confidences", "lira", {}),
]


def asked(network, inputs, classes, starts, seed):
    """Name -> what one model answered; random queries are drawn by the pool's seed, the same for all its models."""
    model = lmia.Model(network, 10)
    noise = lmia.query_labels(
        model, inputs, classes, "gaussian", seed=seed, progress=False, sigmas=[SIGMA], samples=COPIES
    )
    searched = lmia.search_boundary(model, inputs, classes, 250, seed=seed, starts=starts, progress=False)
    probabilities, phi = query_confidences(network, torch.from_numpy(inputs), classes, lambda confidences: confidences)
    return {
        "noise": noise,
        "noise 1": noise.cut(1),
        "boundary": searched,
        "boundary 50": searched.cut(50),
        "confidences": lmia.Confidences(probabilities, classes, phi),
    }


def run(seed, n_models, n_resamples):
    """Rows of one pool."""
    inputs, classes = digits.load(pixel_noise=0.3)
    order = stream(seed, "points of a pool").permutation(len(classes))
    ids, others = np.sort(order[:N]), order[N : N + N_STARTS]
    is_member = lmia.draw_pool(N, n_models, seed=seed)
    data, answers = {"inputs": inputs, "classes": classes}, []
    for number, members in enumerate(tqdm(is_member, desc=f"pool {seed}")):
        network, _ = train_role(
            mlp.build, data, ids[members], ids[~members], number, f"pool {seed}", Defense(), OPTIONS, {},
            torch.device("cpu"),
        )  # fmt: skip
        answers.append(asked(network, inputs[ids], classes[ids], (inputs[others], classes[others]), seed))
    for name, what, kind, options in tqdm(ROWS, desc="attacks"):
        observed, start = [of_model[what] for of_model in answers], time.process_time()
        scores = lmia.attack_pool(kind, observed, is_member, **options)
        seconds = time.process_time() - start
        queries = float(np.mean([of.queries().mean() for of in observed]))
        table = lmia.evaluate_pool(scores, is_member, n_resamples=n_resamples)
        for metric, row in table.round(4).iterrows():
            same = {"pool": seed, "attack": name, "queries": round(queries, 1), "cpu_s": round(seconds, 2)}
            yield same | {"metric": metric} | row.to_dict()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=32)
    parser.add_argument("--pools", type=int, default=2)
    parser.add_argument("--resamples", type=int, default=1000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for seed in range(options.pools):
        rows += run(seed, options.models, options.resamples)
        pd.DataFrame(rows).to_csv(TABLE, index=False)
    table = pd.DataFrame(rows).pivot(index=["pool", "attack"], columns="metric", values="value")
    print(table.to_string())


if __name__ == "__main__":
    main()
