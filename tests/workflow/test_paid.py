"""A model that bills, through the workflow: what it costs is told first, and what it answers at random is flagged."""

import contextlib
import random
import re
import sqlite3

import numpy as np
import pytest

from lmia import artifacts
from lmia.evaluation.metrics_table import read_metrics
from tests.targets.billing import Server
from tests.workflow.conftest import make_checkout

N_CLASSES = 2
ATTACKS = {"gap": {"kind": "gap", "reads": "original"}, "noise": {"kind": "vote", "reads": "noise"}}


def label_of(values):
    """Right on members, and on nine in ten of the others, as their last value says."""
    return int(values[0] > 0.5) if values[-1] < 0.9 else int(values[0] <= 0.5)


@pytest.fixture
def server():
    server = Server(label=lambda inputs: list(map(label_of, inputs)))
    yield server
    server.close()


@pytest.fixture
def checkout(tmp_path, server):
    """A study of that server's model, of 60 members and as many others."""
    checkout = make_checkout(tmp_path / "it")
    draw = np.random.default_rng(0)
    inputs, is_member = draw.random((150, 4)).round(3), np.repeat([1, 0, -1], [60, 60, 30])
    inputs[is_member == 1, -1] /= 2
    classes = (inputs[:, 0] > 0.5).astype(int)
    np.savez(checkout.path / "records.npz", inputs=inputs, classes=classes, is_member=is_member)

    def paid(config):
        config["datasets"] = {"records": {"kind": "npz", "path": "records.npz", "membership": ["is_member"]}}
        config["models"], config["attacks"], config["figures"] = {}, ATTACKS, {}
        config["targets"] = {"mine": {"kind": "http", "url": server.url, "price": 0.01, "currency": "EUR"}}
        study = {"dataset": "records", "splits": "given", "model": "mine", "n_train": [60], "seeds": [0]}
        config["studies"] = {"audit": study}

    checkout.configure(paid)
    return checkout


def test_what_an_audit_costs_is_told_before_anything_is_sent(checkout, server):
    text = checkout.snakemake("cost")
    most = 120 + 50 + 120 * 20 + 50
    rows = {" ".join(line.split()) for line in text.splitlines()}
    assert {f"all together, at most {most:,}", f"which cost at most, at 0.01 EUR each {most / 100:,.2f} EUR"} <= rows
    assert not server.sizes and not (checkout.path / "results/paid").exists()
    checkout.configure(lambda config: config["targets"]["mine"].update(spend=26))
    refused = f"targets.mine.spend: 26: studies.audit may send up to {most:,} inputs, which cost {most / 100:,.2f} EUR,"
    for arguments in (["cost"], []):
        text = checkout.snakemake(*arguments, check=False)
        assert checkout.exit_code == 1 and refused in text and not server.sizes


@pytest.mark.slow
def test_answers_at_random_are_flagged_on_every_number_and_stop_nothing(checkout, server):
    """And what is left to pay for is told, and where too much was sent in vain."""
    draw = random.Random(1)
    server.label = lambda inputs: [label_of(v) if draw.random() > 0.1 else draw.randrange(N_CLASSES) for v in inputs]
    checkout.snakemake()
    assert server.sizes[:2] == [50, 50]  # some twice, before there can be another model
    (file,) = checkout.path.glob("results/models/audit/*/*/target.npz")
    arrays, _ = artifacts.load(file, "model")
    (share,) = arrays["answered_otherwise"]
    flag = f"target answers {100 * share:.0f} % of inputs otherwise when asked again"
    table = read_metrics(checkout.path / "results/metrics.csv")
    assert 0 < share < 0.3 and len(table) and table["flags"].str.contains(flag).all()
    page = (checkout.path / "results/audits/audit/report.html").read_text()
    assert flag.removeprefix("target ") in page

    billed = sum(server.billed.values())
    assert billed == len(server.billed) + 50
    checkout.configure(lambda config: config["targets"]["mine"].update(per_second=10**6, batch=7, spend=10**6))
    assert not checkout.pending()  # how it is asked and paid is no matter of results
    (checkout.path / file).unlink()
    checkout.snakemake("--force", str(file.relative_to(checkout.path)))
    again, _ = artifacts.load(file, "model")
    assert again["answered_otherwise"] == arrays["answered_otherwise"] and sum(server.billed.values()) == billed

    most = 120 + 50 + 120 * 20 + 50
    rows = {" ".join(line.split()) for line in checkout.snakemake("cost").splitlines()}
    assert {
        f"answered already, for these or others {billed:,}",
        f"spent already, at most {billed / 100:,.2f} EUR",
    } <= rows
    (ledger,) = checkout.path.glob("results/paid/*.sqlite")
    (sent,) = checkout.path.glob("results/paid/*.sent")
    checkout.configure(lambda config: config["targets"]["mine"].update(most=most))
    with contextlib.closing(sqlite3.connect(sent)) as paid, paid:
        paid.execute("UPDATE sent SET inputs = inputs + 1")
    with contextlib.closing(sqlite3.connect(ledger)) as paid, paid:
        paid.execute("UPDATE answered SET at = at - 7200")
        paid.execute("UPDATE again SET latest_at = latest_at - 7200")
    text = checkout.snakemake("cost")
    told = f"targets.mine.most: {most}: allows {most:,} inputs; {billed + 1:,} were sent, and {most - billed:,} more"
    assert told in text and sum(server.billed.values()) == billed

    server.label = lambda inputs: [1 - label_of(values) for values in inputs]  # another model, after two hours
    checkout.configure(lambda config: config["targets"]["mine"].update(most=10**6))
    checkout.configure(lambda config: config["queries"]["noise"].update(samples=12))
    text = checkout.snakemake(check=False)
    assert re.search(r"asked: http://\S+: answers \d+ of 50 inputs otherwise than on .* another `revision`", text), text
    assert checkout.exit_code == 1 and sum(server.billed.values()) == billed + 50
