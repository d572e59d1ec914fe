"""How often intervals of calibrated attacks hold, where models differ: `python benchmarks/pool_intervals.py`.

Scores of a pool are drawn, whose models spread and leak more or less. An interval draws models as targets and holds
scores fixed, so what they do as shadows of others is in none of its draws; this is what that costs.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lmia.attacks.observations import Confidences  # noqa: E402
from lmia.calibration import difference, lira  # noqa: E402
from lmia.calibration.pools import leave_one_out  # noqa: E402
from lmia.evaluation import pooled  # noqa: E402
from lmia.splits import draw_pool  # noqa: E402

N_MODELS, N_EXAMPLES, N_POOLS, DRAWS = 16, 250, 200, 100
SPREADS = (0.0, 0.15, 0.3, 0.5)  # standard deviation between models of the logarithms of their noise and their leak
RULES = {"uncalibrated": None, "lira": lira.Calibration(), "difference": difference.Calibration()}
SHADOWS = {"uncalibrated": [None], "lira": [None, 4], "difference": [None, 4]}
METRICS = ("auc", "tpr_at_0.1_fpr")
TABLE = Path(__file__).parent / "results/pool_intervals.csv"


def main():
    rows = []
    for spread in SPREADS:
        for rule, shadows in ((name, n) for name in RULES for n in SHADOWS[name]):
            found = [one(rule, shadows, spread, seed) for seed in range(N_POOLS)]
            for metric in METRICS:
                values, low, high = np.array([pool[metric] for pool in found]).T
                held = (low <= values.mean()) & (values.mean() <= high)
                said = (high - low).mean() / (2 * 1.96)
                rows.append(
                    [spread, rule, shadows or "all", metric, values.mean(), values.std(ddof=1), said, held.mean()]
                )
                print(*rows[-1][:4], *(f"{number:.4f}" for number in rows[-1][4:]), flush=True)
    columns = ["spread", "rule", "shadows", "metric", "mean", "standard deviation", "stated", "held"]
    pd.DataFrame(rows, columns=columns).to_csv(TABLE, index=False, float_format="%.4f")


def one(rule, shadows, spread, seed):
    """metric -> (value, low, high) of one pool of simulated models."""
    draw, is_member = np.random.default_rng(seed), draw_pool(range(N_MODELS), N_EXAMPLES, seed)
    ease, leak = draw.normal(0, 3, N_EXAMPLES), np.abs(draw.normal(0, 1, N_EXAMPLES))
    noise, of_model = np.exp(draw.normal(0, spread, (2, N_MODELS, 1)))
    phi = ease + is_member * leak * of_model + noise * draw.normal(0, 1, (N_MODELS, N_EXAMPLES))
    if RULES[rule] is None:
        scores = phi - ease  # as who knows how easy each example is, without any model
    else:
        unseen = np.full((N_EXAMPLES, 2), 0.5), np.zeros(N_EXAMPLES, int)
        observed = [Confidences(*unseen, of_one) for of_one in phi]
        scores = leave_one_out(RULES[rule].score, observed, is_member, shadows)
    found = pooled.measure(scores, is_member, [0.1], DRAWS, seed)
    return {metric: found[metric].interval() for metric in METRICS}


if __name__ == "__main__":
    main()
