"""What it costs to leave only the target out of its shadows, and not its partner: AUC of answers that tell nothing.

Answers are right or wrong by chance, as often for members as for non-members, so every AUC should be 0.5. Run from the
repository root: python benchmarks/leave_one_out.py
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lmia.attacks.observations import Answers  # noqa: E402
from lmia.calibration import difference, lira, logistic  # noqa: E402
from lmia.calibration.pools import leave_one_out  # noqa: E402
from lmia.evaluation.metrics import auc  # noqa: E402
from lmia.splits import draw_pool  # noqa: E402
from lmia.streams import stream  # noqa: E402

TABLE = Path(__file__).parent / "results/leave_one_out.csv"
RULES = {"difference": difference.Calibration(), "lira": lira.Calibration(), "logistic": logistic.Calibration()}
N, QUERIES, POOLS = 500, 9, 10
SIZES = (16, 32, 64)


def only_the_target_left_out(score, observed, is_member):
    """As `leave_one_out`, but with the partner among the shadows."""
    others = [np.delete(np.arange(len(observed)), target) for target in range(len(observed))]
    return np.stack([score(observed[t], [observed[k] for k in rest], is_member[rest]) for t, rest in enumerate(others)])


def pool(n_models, seed):
    """(answers of each model, membership): points differ in how hard they are, and nothing depends on membership."""
    draw = stream(seed, "answers that tell nothing", n_models)
    easy, magnitudes = draw.random((N, 1)), np.array([0.0] + [1.0] * (QUERIES - 1))
    answers = [(draw.random((N, QUERIES)) > easy).astype(int) for _ in range(n_models)]
    return [Answers(labels, np.zeros(N, int), magnitudes) for labels in answers], draw_pool(range(n_models), N, seed)


def main():
    rows = []
    for n_models in SIZES:
        for name, rule in RULES.items():
            found = {"target": [], "pair": []}
            for seed in range(POOLS):
                observed, is_member = pool(n_models, seed)
                for left_out, run in (("target", only_the_target_left_out), ("pair", leave_one_out)):
                    found[left_out].append(auc(run(rule.score, observed, is_member).ravel(), is_member.ravel()))
            for left_out, values in found.items():
                error = np.std(values, ddof=1) / np.sqrt(POOLS)
                rows.append(
                    {"models": n_models, "rule": name, "left_out": left_out, "auc": np.mean(values), "se": error}
                )
            pd.DataFrame(rows).round(4).to_csv(TABLE, index=False)
            print(pd.DataFrame(rows[-2:]).round(4).to_string(index=False, header=False), flush=True)


if __name__ == "__main__":
    main()
