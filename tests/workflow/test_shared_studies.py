"""Studies, checkouts and users that need the same results compute them once."""

import pytest

from tests.workflow.conftest import make_checkout
from tests.workflow.faulty import MODEL, STUDY, Faulty

BUSY = 3000  # s: a dozen jobs, where others use the machine
FOLDERS = ("models", "answers", "distances", "confidences", "white_box")


def paths(study, cell):
    """What the five rules make for the target, and what the stopped search needs besides."""
    run = f"{study}/{cell}/0-1/target"
    queries = {"answers": "noise", "distances": "settled", "confidences": "confidences", "white_box": "gradients"}
    return [f"results/models/{run}.npz", *(f"results/{kind}/{run}/{query}.npz" for kind, query in queries.items())]


ONE, OTHER = paths("small", "n30-none"), paths("again", "n30-plain")


def noted(path, **settings):
    """A checkout whose model notes who asks it, with two studies that differ in all names."""
    checkout = Faulty(make_checkout(path).path)
    (checkout.path / "plugins").mkdir()
    (checkout.path / "plugins/noted.py").write_text(MODEL)

    def change(config):
        config |= {"models": {"noted": {"kind": "plugins.noted"}}, "figures": {}} | settings
        config["datasets"]["same"] = config["datasets"]["digits"]
        config["defenses"] = {"none": {"kind": "none"}, "plain": {"kind": "none"}}
        config["studies"] = {"small": STUDY, "again": STUDY | {"dataset": "same", "defenses": ["plain"]}}

    checkout.configure(change)
    return checkout


def workers(checkout):
    """Script -> number of its processes that asked a model, besides the look at a fresh one that each study takes."""
    scripts = [name for _, name in checkout.calls() if name != "check_study"]
    return {name: scripts.count(name) for name in scripts}


ONCE = {"train_model": 2, "search_boundary": 2, "query_labels": 1, "query_confidences": 1, "query_white_box": 1}


def test_two_studies_that_need_the_same_model_train_it_once(tmp_path):
    """Two at a time, so that both need it at the same moment."""
    checkout = noted(tmp_path / "first", cache="../cache")
    checkout.snakemake(ONE[0], OTHER[0])
    assert workers(checkout) == {"train_model": 1}
    assert (checkout.path / ONE[0]).read_bytes() == (checkout.path / OTHER[0]).read_bytes()


@pytest.mark.slow
def test_studies_and_checkouts_that_need_the_same_compute_it_once(tmp_path, monkeypatch):
    monkeypatch.setenv("LMIA_CACHE", str(tmp_path / "cache"))
    first, second = noted(tmp_path / "first"), noted(tmp_path / "second")
    first.snakemake(*ONE, *OTHER, timeout=BUSY)
    assert workers(first) == ONCE
    for one, other in zip(ONE, OTHER, strict=True):
        assert (first.path / one).read_bytes() == (first.path / other).read_bytes(), one
    second.snakemake(*ONE, timeout=BUSY)
    assert workers(second) == {}
    kept = [f"{folder}/small/**/*" for folder in FOLDERS]
    assert second.results(*kept) == first.results(*kept)
    assert "Nothing to be done" in first.snakemake(*ONE, *OTHER)  # what others took has not touched it


@pytest.mark.slow
def test_a_cache_changes_no_byte_and_a_changed_option_or_damage_is_computed(tmp_path):
    plain = noted(tmp_path / "plain")
    plain.snakemake(*ONE, timeout=BUSY)
    assert workers(plain) == ONCE
    expected = plain.results(*(f"{folder}/**/*" for folder in FOLDERS))
    cached = noted(tmp_path / "cached", cache="../cache")
    cached.snakemake(*ONE, timeout=BUSY)
    assert cached.results(*(f"{folder}/**/*" for folder in FOLDERS)) == expected

    for file in (tmp_path / "cache").rglob("*.npz"):
        file.write_bytes(file.read_bytes()[:-1])
    damaged = noted(tmp_path / "damaged", cache="../cache")
    damaged.snakemake(*ONE, timeout=BUSY)
    assert workers(damaged) == ONCE
    assert damaged.results(*(f"{folder}/**/*" for folder in FOLDERS)) == expected
    assert "damaged" in (damaged.path / ONE[0].replace("results/", "results/logs/").replace(".npz", ".log")).read_text()

    changed = noted(tmp_path / "changed", cache="../cache")
    changed.configure(lambda config: config["studies"]["small"].update(evaluated=20))
    changed.snakemake(*ONE, timeout=BUSY)
    assert workers(changed) == {name: n for name, n in ONCE.items() if name != "train_model"}
    changed.configure(lambda config: config["studies"]["small"]["training"].update(max_epochs=50))
    changed.forget()
    changed.snakemake(*ONE, timeout=BUSY)
    assert workers(changed) == ONCE
