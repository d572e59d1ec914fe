"""Epsilon as it is written beside a private model, and as three other computations find it.

Needs Google's accountant besides, which no environment of the project holds:
pip install --target DIR --no-deps dp-accounting==0.6.0 absl-py dm-tree attrs mpmath wrapt
PYTHONPATH=DIR python benchmarks/accounting.py [CSV]

CSV, benchmarks/results/accounting.csv by default, has one row per setting: epsilon of `lmia.defenses.dp_sgd`, of an
integral that its test uses too, and of dp-accounting, all by Renyi divergences, and of dp-accounting by privacy loss
distributions, which is nearly tight: what is below it would promise too much. A minute of CPU.
"""

import sys
from itertools import product
from pathlib import Path

import pandas as pd
from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent
from dp_accounting.pld import PLDAccountant
from dp_accounting.rdp import RdpAccountant
from torch import nn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from renyi_integral import epsilon_by_integral  # noqa: E402

from lmia.defenses import dp_sgd  # noqa: E402

MEMBERS = 2500
CHOSEN = (0.5, 1.0, 8.0, 100.0)  # epsilons of config/defenses.yaml, with batches of 500 in 60 epochs
GRID = list(product((0.5, 1.0, 2.0, 5.0), (25, 100, 500, 2500), (1, 60)))  # (noise, batch size, epochs)
DELTAS = (1 / MEMBERS, 1e-6)


def theirs(accountant, noise, rate, steps, delta):
    event = PoissonSampledDpEvent(rate, GaussianDpEvent(noise))
    return accountant.compose(event, steps).get_epsilon(delta)


def row(delta, size, epochs, **given):
    """given: noise, or epsilon that the noise is chosen for."""
    defense = dp_sgd.Defense(epochs=epochs, batch_size=size, delta=delta, **given)
    defense.prepare(nn.Linear(1, 1), 2, MEMBERS)
    report = defense.report()
    noise, rate = report["noise"], size / MEMBERS
    setting = (noise, rate, epochs * round(1 / rate), delta)
    found = {
        "ours": report["epsilon"],
        "integral": epsilon_by_integral(*setting),
        "dp_accounting_rdp": theirs(RdpAccountant(), *setting),
        "dp_accounting_pld": theirs(PLDAccountant(), *setting),
    }
    off = {f"over_{name}": found["ours"] / value - 1 for name, value in found.items() if name != "ours"}
    return dict(zip(("noise", "rate", "steps", "delta"), setting, strict=True)) | found | off


def main(path=ROOT / "benchmarks/results/accounting.csv"):
    rows = [row(DELTAS[0], 500, 60, epsilon=epsilon) for epsilon in CHOSEN]
    rows += [row(delta, size, epochs, noise=noise) for delta in DELTAS for noise, size, epochs in GRID]
    table = pd.DataFrame(rows)
    table.to_csv(path, index=False, float_format="%.5g")
    print(table.to_string(float_format="%.4g"))
    over = table.filter(like="over_")
    print(over.agg(["min", "median", "max"]).to_string(float_format="%.4f"))


if __name__ == "__main__":
    main(*sys.argv[1:])
