"""Numbers of seeds are those that a simulation of the intervals needs, and are told of open claims alone."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from lmia.evaluation.claims import says
from lmia.evaluation.intervals import over_seeds
from workflow.tools.power import NORMAL, chance_to_decide, decides, seeds_needed, spread

ABOVE, NEAR, BETWEEN = (0.0, None), (-3.0, 3.0), (2.0, 5.0)


def simulated(margin, sd, of_points, n, bounds, draws=4000):
    """Share of studies of n seeds whose interval decides a claim as its true margin has it."""
    rng, reach = np.random.default_rng(n), NORMAL * of_points
    right = says(bounds, margin - 1e-9, margin + 1e-9)
    verdicts = []
    for values in margin + sd * rng.normal(size=(draws, n)):
        _, low, high = over_seeds([(value, value - reach, value + reach) for value in values])
        verdicts.append(says(bounds, low, high))
    return np.mean([verdict == right for verdict in verdicts])


@pytest.mark.parametrize(
    "margin, sd, of_points, n, bounds",
    [
        (2.0, 1.5, 1.0, 6, ABOVE),
        (-1.0, 2.0, 0.5, 12, ABOVE),
        (1.0, 2.0, 2.0, 5, NEAR),
        (4.5, 1.0, 1.0, 4, NEAR),
        (3.3, 0.8, 0.7, 5, BETWEEN),
        (1.0, 1.0, 0.0, 8, BETWEEN),
        (5.0, 0.3, 0.3, 2, ABOVE),
    ],
)
def test_chances_are_those_of_simulated_studies(margin, sd, of_points, n, bounds):
    chance = chance_to_decide(margin, sd, of_points, n, decides(margin, bounds))
    assert chance == pytest.approx(simulated(margin, sd, of_points, n, bounds), abs=0.025)


@pytest.mark.parametrize("margin, bounds", [(1.5, ABOVE), (-1.5, ABOVE), (0.5, NEAR), (3.4, BETWEEN)])
def test_the_number_is_the_first_that_is_enough(margin, bounds):
    n = seeds_needed(margin, 1.6, 1.2, bounds)
    assert n and simulated(margin, 1.6, 1.2, n, bounds) >= 0.775 and simulated(margin, 1.6, 1.2, n - 1, bounds) < 0.825
    assert chance_to_decide(margin, 1.6, 1.2, n - 1, decides(margin, bounds)) < 0.8


def test_a_margin_on_its_threshold_has_no_number():
    for margin, bounds in ((0.0, ABOVE), (3.0, NEAR), (2.0, BETWEEN), (0.05, ABOVE)):
        assert seeds_needed(margin, 1.0, 0.5, bounds) is None


def test_seeds_spread_as_their_values_do_and_no_less_than_their_points():
    wide, narrow = [(v, v - 1, v + 1) for v in (1, 3, 8)], [(v, v - 1, v + 1) for v in (2.0, 2.0, 2.1)]
    assert spread(wide) == pytest.approx((np.std([1, 3, 8], ddof=1), 1 / NORMAL))
    assert spread(narrow) == pytest.approx((1 / NORMAL, 1 / NORMAL))
    assert spread(narrow[:1]) == pytest.approx((1.4 / NORMAL, 1 / NORMAL))


def test_open_claims_of_a_finished_table_are_told_with_what_they_cost(copy):
    same = {"study": "small", "attacks": ["boundary"], "against": ["gap"]}
    claims = [
        {"says": "open", "metric": ["accuracy", "auc", "tpr_at_0.1_fpr"]} | same,
        {"says": "decided", "at_least": -100} | same,
        {"says": "no order", "metric": ["auc"]} | same | {"attacks": ["settled"]},
        {"says": "of chance", "at_least": 20} | same | {"against": ["chance"]},
    ]
    copy.configure(lambda config: config.update(exhibits={"table_1": {"title": "", "claims": claims}}))
    copy.snakemake("table_1")
    judged = pd.read_csv(copy.path / "results/exhibits/table_1/claims.csv")
    done = subprocess.run(
        [sys.executable, "-m", "workflow.tools.power", "table_1"], cwd=copy.path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    n_open = judged["verdict"].isin(["not resolvable", "one model pair"]).sum()
    assert f"# table_1: {n_open} open claims" in done.stdout and n_open >= 2
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines() if "| " in line][2:]
    told = {(row[0].partition(":")[0], row[1]): row for row in rows}
    assert len(rows) == n_open and not any(says == "decided" for says, _ in told)
    assert told["no order", "auc"][7] == "no number: decides without ranking (2 of 2)"
    assert told["open", "tpr_at_0.1_fpr"][7].startswith("no number: ")  # of 60 non-members
    numbered = [row for row in rows if not row[7].startswith("no")]
    assert all(int(row[7]) >= 2 and float(row[8]) >= 0 for row in numbered)
    assert done.stdout.rstrip().endswith("CPU hours.")
