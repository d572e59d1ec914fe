"""What audits cost is told, and refused where it is too much, before anything is sent."""

import re

import numpy as np
import pytest

from lmia.targets.ledger import Ledger, Sent, path_of, path_of_sent
from tests.workflow.config.given_studies import API, given
from workflow.config.costs import bill, main
from workflow.config.job_params import Params
from workflow.config.load import ConfigError, check, load
from workflow.harness.fingerprint import ROOT

pytestmark = pytest.mark.usefixtures("given_files")
QUERIES = {"boundary": {"kind": "hopskipjump", "budget": 500}}
STUDY = {"attacks": ["gap", "boundary"], "evaluated": 60}
TOTAL = 140 + 50 + 120 * 499 + 50  # all known, some again, searches around them, and once more after a pause
ANSWERED = "answered already, for these or others"


def paid(second_study=None, **target):
    raw = given(STUDY, target=API | target, queries=QUERIES)
    if second_study:
        raw["studies"]["other"] = raw["studies"]["audit"] | second_study
    return raw


def numbers(lines, what):
    (line,) = [line.strip() for line in lines if line.strip().startswith(what)]
    return line.removeprefix(what).split()


def test_a_bill_has_what_is_asked_at_most_and_what_it_costs():
    found = bill(check(paid(price=0.002, currency="EUR", per_second=20, most=TOTAL, spend=TOTAL * 0.002)))
    assert not [line for line in found if "targets.mine.spend" in line or "queries.original" in line]
    assert numbers(found, "queries.boundary") == ["120", "499", "59,880"]
    assert numbers(found, "all together, at most") == [f"{TOTAL:,}"]
    assert numbers(found, ANSWERED) == ["0"]
    assert numbers(found, "which cost at most, at 0.002 EUR each") == ["120.24", "EUR"]
    assert numbers(found, "and take at least, at 20 a second") == ["50", "min"]


def test_a_record_as_it_is_is_paid_for_once_whoever_asks_about_it():
    """By the look at known records, and by each query set, of which it is a part."""
    queries = QUERIES | {"m": {"kind": "gaussian", "sigmas": [0.1, 0.2], "samples": 4}}
    study = STUDY | {"attacks": ["gap", "boundary", "rotation"], "in_question": 30}
    raw = given(study, target=API, queries=queries, attacks={"rotation": {"kind": "vote", "reads": "m"}})
    found = bill(check(raw))
    assert numbers(found, "known records") == ["140", "1", "140"]
    assert numbers(found, "records in question") == ["30", "1", "30"]
    assert numbers(found, "queries.m") == ["150", "8", "1,200"] and not [line for line in found if "original" in line]


def test_what_was_paid_for_is_taken_off():
    ledger = Ledger(path_of(API["url"], "", "inputs", "labels"))
    Sent(path_of_sent(API["url"])).note(1500)
    ledger.keep({bytes([n // 256, n % 256]): 0 for n in range(1000)})
    ledger.keep_again({bytes([0, n]): 0 for n in range(50)}, {bytes([0, n]): [] for n in range(50)})
    found = bill(check(paid(price=0.01)))
    assert numbers(found, ANSWERED) == ["1,050"]
    assert numbers(found, "left, if all of that is for these") == [f"{TOTAL - 1050:,}"]
    assert numbers(found, "which cost at most, at 0.01 each") == [f"{TOTAL / 100:,.2f}"]
    assert numbers(found, "spent already, at most") == ["15.00"]
    lost = bill(check(paid(most=TOTAL + 449)))  # 450 were sent in vain
    message = f"targets.mine.most: {TOTAL + 449}: allows {TOTAL + 449:,} inputs; 1,500 were sent, and {TOTAL - 1050:,} "
    assert lost[-1].startswith(message) and lost[-1].endswith(
        "a job that needs more than is allowed ends before it sends them"
    )
    assert "targets.mine.most" not in bill(check(paid(most=TOTAL + 450)))[-1]


def test_the_example_of_the_guide_costs_what_the_guide_says(tmp_path, monkeypatch):
    guide = (ROOT / "docs/how-to/audit-further.md").read_text().partition("## A remote model that bills\n")[2]
    example, told = re.findall(r"^```(?:yaml)?\n(# mine.yaml\n.*?|targets.api.*?)```", guide, re.M | re.S)[:2]
    monkeypatch.chdir(tmp_path)
    known = np.repeat([1, 0], 1000)
    np.savez("records.npz", inputs=np.eye(2000, dtype=np.float32), classes=known, is_member=known)
    (tmp_path / "mine.yaml").write_text(example)
    assert bill(load("mine.yaml")) == told.splitlines()


def test_a_model_in_a_file_has_labels_and_no_bill():
    found = bill(check(given(STUDY, queries=QUERIES)))
    assert numbers(found, "all together, at most") == [f"{140 + 120 * 499:,}"]
    assert not [line for line in found if "answered" in line or "cost" in line or "again" in line]
    raw = given()
    del raw["studies"]["audit"]
    assert bill(check(raw)) == ["no study asks a given model"]


TOO_MUCH = {
    "money": (
        {"price": 0.002, "currency": "EUR", "spend": 40},
        "targets.mine.spend: 40: studies.audit may send up to 60,120 inputs, which cost 120.24 EUR, 59,880 of them for "
        "queries.boundary; this pays for 20,000; raise it, or lower `evaluated`, or budgets and samples of query sets",
    ),
    "two studies of one model, each of which it allows": (
        {"most": 61000, "second_study": {"seeds": [1]}},
        "targets.mine.most: 61000: studies.audit and studies.other together may send up to 120,190 inputs, 59,880 of",
    ),
    "both limits": (
        {"price": 1, "spend": 5, "most": 5},
        "targets.mine.most: 5: studies.audit may send up to 60,120 inputs, 59,880 of them for queries.boundary; raise "
        "it, or lower `evaluated`, or budgets and samples of query sets\ntargets.mine.spend: 5: studies.audit may",
    ),
    "money without a price": (
        {"spend": 40},
        "targets.mine.spend: 40.0: needs the price of one input; set price",
    ),
    "nothing": ({"price": 0}, "targets.mine.price: 0: not possible here; it should be greater than 0"),
}


@pytest.mark.parametrize("case", TOO_MUCH)
def test_more_than_is_allowed_is_refused(case):
    options, message = TOO_MUCH[case]
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}"):
        check(paid(**options))


def test_queries_that_nobody_counts_go_with_no_limit(tmp_path):
    (tmp_path / "plugins/shaken.py").write_text(
        "class Perturbation:\n    magnitudes = ()\n    unit = ''\n\n"
        "    def blocks(self, inputs, streams):\n        pass\n"
    )
    changes = {"queries": {"shaken": {"kind": "plugins.shaken"}}}
    changes["attacks"] = {"shaken": {"kind": "vote", "reads": "shaken"}}
    free = check(given({"attacks": ["gap", "shaken"]}, target=API, **changes))
    assert numbers(bill(free), "all together, at most") == ["unknown"]
    message = (
        "targets.mine.most: 9: nobody knows how many inputs studies.audit may send for queries.shaken; leave it out"
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}"):
        check(given({"attacks": ["gap", "shaken"]}, target=API | {"most": 9}, **changes))


def test_how_a_model_is_asked_and_paid_is_nothing_that_answers_depend_on():
    class Wildcards:
        study = "audit"

    terms = {"batch": 5, "per_second": 3, "most": 10**6, "price": 1e-6, "spend": 1, "timeout": 3, "patience": 3}
    config = check(paid(**terms))
    params = Params(config, {})
    assert params.model(Wildcards) == {"kind": "lmia.targets.http"} | {
        **{"url": API["url"], "revision": "", "headers": {}, "send": "inputs", "receive": "labels"}
    }
    assert config.targets["mine"].terms() == terms | {"currency": ""}


def test_it_is_told_from_a_file_without_snakemake(tmp_path, capsys):
    file = tmp_path / "mine.yaml"
    entries = "datasets: {records: {kind: npz, path: records.npz, membership: [known]}}\n"
    entries += "targets: {mine: {kind: http, url: 'http://127.0.0.1:9'}}\n"
    entries += "studies: {audit: {dataset: records, splits: given, model: mine, n_train: [500], seeds: [0]}}\n"
    file.write_text(entries)
    main(str(file))
    assert "targets.mine, of kind http" in capsys.readouterr().out
    file.write_text(entries.replace("{kind: http", "{most: 3, kind: http"))
    with pytest.raises(SystemExit, match="targets.mine.most: 3: studies.audit may send up to"):
        main(str(file))
