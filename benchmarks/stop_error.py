"""Which decisions early stopping changes, and what accuracy that costs: whole searches, cut where a rule would stop.

The rule is learned from the shadow's searches and judged on the target's, so nothing is asked again.
Run from the repository root after the default study: python benchmarks/stop_error.py
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lmia import artifacts  # noqa: E402
from lmia.evaluation.fit_stopping import fit_stopping  # noqa: E402
from lmia.evaluation.metrics import at_threshold, best_threshold  # noqa: E402
from lmia.membership import load_membership  # noqa: E402

TABLE = Path(__file__).parent / "results/stop_error.csv"
MODELS = ("digits-mlp/n200-none/0-5", "digits-cnn/n100-none/0-5")
ERRORS = (0.01, 0.02, 0.05)


def load(models, role, query):
    """(courses (s, n, t), queries asked (s, n, t), membership (s, n)) of whole searches around the points alone."""
    found, _ = artifacts.load(f"results/distances/{models}/{role}/{query}.npz", "distances")
    known = load_membership(f"results/splits/{models}/{role}.npz", found["example_ids"])
    return found["distance"][:, :, 0], found["n_queries"][:, :, 0], known


def cut(rule, distance, n_queries):
    """(distances (n,), queries (n,)) where a rule ends each search of courses (n, t)."""
    steps = range(distance.shape[1])
    settled = np.array([rule(distance[:, j], n_queries[:, j]) & np.isfinite(distance[:, j]) for j in steps]).T
    end = np.where(settled.any(axis=1), settled.argmax(axis=1), distance.shape[1] - 1)
    rows = np.arange(len(end))
    return distance[rows, end], n_queries[rows, end]


def main():
    rows = []
    for models in MODELS:
        for query in ("boundary", "published"):
            if not Path(f"results/distances/{models}/target/{query}.npz").exists():
                continue
            shadow, target = (load(models, role, query) for role in ("shadow0", "target"))
            for error in ERRORS:
                for taught, (distance, n_queries, known) in zip(
                    zip(*shadow, strict=True), zip(*target, strict=True), strict=True
                ):
                    rule = fit_stopping(*taught, error)
                    stopped, asked = cut(rule, distance, n_queries)
                    threshold = best_threshold(taught[0][:, -1], taught[2])
                    before, after = (of >= threshold for of in (distance[:, -1], stopped))
                    whole, early = (at_threshold(of, known, threshold)["accuracy"] for of in (distance[:, -1], stopped))
                    rows.append(
                        {
                            "models": models.split("/")[0],
                            "search": query,
                            "stop_error": error,
                            "changed %": 100 * np.mean(before != after),
                            "to non-member %": 100 * np.mean(before & ~after),
                            "accuracy lost, points": 100 * (whole - early),
                            "queries": asked.mean(),
                            "whole queries": n_queries[:, -1].mean(),
                        }
                    )
    groups = pd.DataFrame(rows).groupby(["models", "search", "stop_error"], sort=False)
    table = groups.mean().join(groups["changed %"].max().rename("changed %, most")).reset_index().round(3)
    table.to_csv(TABLE, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
