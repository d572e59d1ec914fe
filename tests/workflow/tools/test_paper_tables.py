"""The paper's tables on a page: each of its numbers stands beside ours, and each that differs has a reason."""

import re

import pandas as pd
import pytest

from lmia.evaluation.paper_comparison import COMPARISON
from workflow.config.exhibit_inputs import exhibit_numbers
from workflow.config.load import load
from workflow.tools.paper_tables import MARKS, ROWS, counts, read_reasons, reasons, side_by_side, undefended

NAN = float("nan")
PAPER = {  # Tables 1 and 2 of the paper without a defense, read by hand
    "CIFAR-100": {
        "gap": 83.5,
        "confidence vector": 88.1,
        "data augmentation": 84.6,
        "boundary": 88.0,
        "combined": 89.2,
    },
    "MNIST": {"gap": 53.2, "confidence vector": 55.7, "data augmentation": 53.9, "boundary": 57.8, "combined": 58.7},
    "Texas": {"gap": 73.9, "confidence vector": 84.0, "noise": 80.3},
    "Purchase": {"gap": 67.1, "confidence vector": 86.1, "noise": 87.4},
    "Location": {"gap": 72.1, "confidence vector": 92.6, "noise": 89.2},
    "Adult": {"gap": 58.7, "confidence vector": 59.9, "noise": 58.7},
}


def rows(**of):
    """Comparison rows of one data set, attack -> (ours, status)."""
    made = [
        {"artifact": "table_1", "dataset": "mnist", "n_train": 1000, "attack": attack, "defense": "none", "paper": 50.0}
        | {"ours": ours, "ci_low": ours - 1, "ci_high": ours + 1, "status": status}
        | {"difference": ours - 50, "remark": "no archive"}
        for attack, (ours, status) in of.items()
    ]
    return undefended(pd.DataFrame(made, columns=COMPARISON), ["table_1"])


def test_the_configuration_has_the_paper_s_22_numbers_where_they_belong():
    config = load("config/paper.yaml")
    cells = [cell for table in ("table_1", "table_2") for cell in exhibit_numbers(config, table)]
    of_paper = pd.DataFrame([cell | {"status": cell["status"] or "not run"} for cell in cells])
    found = undefended(of_paper, ["table_1", "table_2"])
    assert len(found) == 22 == sum(map(len, PAPER.values()))
    for table in ("table_1", "table_2"):
        head, _, *lines = side_by_side(found[found["artifact"].eq(table)]).splitlines()
        datasets = re.findall(r"\| ([\w-]+), n = [\d,]+: paper", head)
        for line in lines:
            label, *numbers = [part.strip() for part in line.strip("|").split("|")]
            shown = dict(zip(datasets, numbers[::2], strict=True))
            assert {k: float(v) for k, v in shown.items() if v} == {
                k: PAPER[k][label] for k in datasets if label in PAPER[k]
            }


@pytest.mark.parametrize("status", MARKS)
def test_each_status_has_a_mark_beside_the_number_and_its_interval(status):
    text = side_by_side(rows(gap=(51.0, status)))
    assert f">51.0 [50.0, 52.0] {MARKS[status]}</span>" in text and f'class="{status.replace(" ", "-")}"' in text


def test_second_readings_and_constant_rules_are_not_counted():
    found = rows(gap=(51.0, "reproduced"), rotation=(51.0, "variant"), boundary=(50.0, "by construction"))
    assert counts(found) == "Of the paper's 1 undefended accuracies: 1 reproduced."


def test_a_number_that_is_off_needs_a_reason():
    found = rows(
        gap=(51.0, "reproduced"),
        rotation=(52.0, "not resolvable"),
        boundary=(56.0, "differs"),
        combined=(NAN, "not run"),
    )
    told = read_reasons("- **MNIST, boundary:** fewer queries.\nNo line.\n- **MNIST, gap:** not needed.")
    lines = [
        "- **MNIST, boundary:** 56.0 and not 50.0 %: fewer queries.",
        "- **MNIST, combined:** not run: no archive.",
    ]
    assert reasons(found, told).splitlines() == lines
    assert reasons(rows(gap=(NAN, "not run"), combined=(NAN, "not run")), {}) == "- **MNIST:** not run: no archive.\n"
    with pytest.raises(ValueError, match=r"under ## Reasons:\n- \*\*MNIST, boundary:\*\* why it is 56.0 and not 50.0$"):
        reasons(found, {})


def test_every_attack_of_the_paper_has_one_row():
    attacks = [attack for names in ROWS.values() for attack in names]
    assert len(attacks) == len(set(attacks))
