"""Audits are studies in fewer words: the same jobs, and messages that name what the user wrote."""

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workflow.config.bad_cases import ROOT
from tests.workflow.config.given_studies import KNOWN, N
from workflow.config.__main__ import main
from workflow.config.audits import in_own_words, written_out
from workflow.config.costs import bill
from workflow.config.load import ConfigError, check, load, read_layers
from workflow.config.schema.audits import LEFT_OUT, Audit
from workflow.config.schema.studies import Study
from workflow.config.yaml_reader import read
from workflow.config.yaml_writer import as_yaml

PAGE = (ROOT / "docs/how-to/audit.md").read_text()
CONFIG = {
    "base": "none",
    "datasets": {
        "records": {"kind": "npz", "path": "records.npz", "membership": ["known"]},
        "digits": {"kind": "digits"},
    },
    "models": {"net": {"kind": "mlp"}},
    "targets": {"mine": {"kind": "torch", "model": "net", "weights": "mine.pt"}},
    "audits": {"first": {"target": "mine", "dataset": "records"}},
    "queries": {"original": {"kind": "original"}, "early": {"kind": "hopskipjump", "budget": 100, "stop_error": 0.05}},
    "attacks": {"gap": {"kind": "gap", "reads": "original"}, "early": {"kind": "distance", "reads": "early"}},
}
GIVEN = {"dataset": "records", "model": "mine", "splits": "given", "n_train": [60], "seeds": [0]}


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder with the files that CONFIG and the pages name."""
    monkeypatch.chdir(tmp_path)
    arrays = {"inputs": np.random.default_rng(0).random((N, 8, 8)), "classes": np.arange(N) % 3, "known": KNOWN}
    few = np.where(np.arange(N) < 10, 1, KNOWN.clip(-1, 0))
    of_page = {"x": arrays["inputs"], "y": arrays["classes"], "is_member": KNOWN}
    np.savez("records.npz", few=few, nobody=np.full(N, -1), **arrays, **of_page)
    rows = [f"{n % 50},{n % 2},{n % 3},{n % 4},{used},{n},{n < 60}" for n, used in enumerate(KNOWN.astype(int))]
    Path("people.csv").write_text("\n".join(["age,sex,town,rooms,used,person,income", *rows]))
    for name in ("mine.pt", "target.pt"):
        Path(name).touch()
    with zipfile.ZipFile("pipeline.skops", "w") as file:
        file.writestr("schema.json", "{}")
    Path("plugins").mkdir()
    Path("plugins/my_net.py").write_text("def build(shape, n_classes):\n    return None\n")
    monkeypatch.syspath_prepend(tmp_path)


def audited(audit=None, **sections):
    """CONFIG with other keys of its audit, and with more entries in its sections."""
    more = {name: CONFIG.get(name, {}) | entries for name, entries in sections.items()}
    return CONFIG | {"audits": {"first": CONFIG["audits"]["first"] | (audit or {})}} | more


def told(config):
    return config.model_dump(exclude={"base", "audits"})


@pytest.mark.parametrize(
    "audit, study",
    [
        ({}, {}),
        ({"n_train": 5000, "seed": 3}, {"n_train": [5000], "seeds": [3]}),
        ({"attacks": ["gap"], "evaluated": 50, "prior": 0.1}, {"attacks": ["gap"], "evaluated": 50, "prior": 0.1}),
        ({"attacks": None, "n_train": None}, {}),
    ],
)
def test_an_audit_is_a_study_of_the_same_name(audit, study, files):
    """Where it does not say how large the training set was, that is the known members."""
    same = {name: section for name, section in CONFIG.items() if name != "audits"} | {
        "studies": {"first": GIVEN | study}
    }
    assert told(check(audited(audit))) == told(check(same))


def test_an_audit_takes_all_keys_of_a_study_that_a_given_model_can_have(files):
    assert LEFT_OUT < Study.model_fields.keys()
    assert Audit.model_fields.keys() == (Study.model_fields.keys() - LEFT_OUT) | {
        "target",
        "dataset",
        "n_train",
        "seed",
    }
    for name in LEFT_OUT & {"defenses", "n_nonmembers", "outliers", "pool", "training"}:
        value = {"defenses": ["guard"], "outliers": {}, "training": {}}.get(name, 2)
        with pytest.raises(ConfigError, match=rf"^studies\.first\.{name}: "):  # it says nothing of a given model
            config = audited(audits={"first": None}, studies={"first": GIVEN | {name: value}})
            check(config | {"defenses": {"none": {"kind": "none"}, "guard": {"kind": "memguard"}}})


BAD = {
    "no target": ({"target": None}, "audits.first.target: missing; add it: an entry under `targets`"),
    "no data set": ({"dataset": None}, "audits.first.dataset: missing; add it: an entry under `datasets`"),
    "another target": ({"target": "net"}, "audits.first.target: net: not defined under targets; expected one of: mine"),
    "another data set": (
        {"dataset": "record"},
        "audits.first.dataset: record: not defined under datasets; did you mean records?",
    ),
    "of which nothing is known": ({"dataset": "digits"}, "audits.first.dataset: digits: does not say what the model"),
    "an attack that stops by shadows": (
        {"attacks": ["gap", "early"]},
        "audits.first.attacks: early: queries.early stops early by shadows' searches, which are not there for a given",
    ),
    "an attack that nobody defined": (
        {"attacks": ["gab"]},
        "audits.first.attacks: gab: not defined under attacks; did",
    ),
    "too few": (
        {"evaluated": 9},
        "audits.first.evaluated: 9: too few for one half to judge the other; use at least 50",
    ),
    "fewer than are known": ({"n_train": 9}, "audits.first.n_train: 9: 60 members are known; state the size of the"),
    "a list of sizes": (
        {"n_train": [60]},
        "audits.first.n_train: [60]: not possible here; it should be a valid integer",
    ),
    "a key of a study": (
        {"pool": 2},
        "audits.first.pool: unknown key; expected one of: target, dataset, n_train",
    ),
    "shadows of what nobody can train": (
        {"shadows": 4},
        "audits.first.shadows: 4: mine: nothing says how models like it are trained; give its target a trainer",
    ),
    "a misspelt key": ({"atacks": []}, "audits.first.atacks: unknown key; did you mean attacks?"),
    "weights of its own": ({"weights": "mine.pt"}, "audits.first.weights: unknown key; a model that you have is an"),
    "a truth": ({"seed": True}, "audits.first.seed: True: not possible here; it should not be true or false"),
    "a seed below 0": (
        {"seed": -1},
        "audits.first.seed: -1: not possible here; it should be greater than or equal to 0",
    ),
    "no share": ({"prior": 1}, "audits.first.prior: 1: not possible here; it should be less than 1"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_message_begins_with_what_the_user_wrote(case, files):
    audit, message = BAD[case]
    with pytest.raises(ConfigError) as error:
        check(audited(audit))
    [line] = str(error.value).splitlines()
    assert line.startswith(message)


@pytest.mark.parametrize(
    "junk", ["x", 3, -1, True, [], ["x"], [{}], {}, {"x": {}}, {"x": 3}, {"x": []}, {"": {}}], ids=repr
)
@pytest.mark.parametrize(
    "place", [["audits"], ["audits", "first"], ["audits", "first", "target"], ["datasets", "records"]]
)
def test_whatever_stands_there_is_refused_by_lines_that_name_a_key(junk, place, files):
    config = node = audited(datasets={}, audits={"first": dict(CONFIG["audits"]["first"])})
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = junk
    with pytest.raises(ConfigError) as error:
        check(config)
    assert all(
        line.startswith(("audits", "datasets", "studies: there is none")) for line in str(error.value).splitlines()
    )


def test_a_file_that_cannot_be_read_is_told_once(files):
    """Although its members are counted before it is checked."""
    for dataset in ({"path": "nowhere.npz"}, {"path": "plugins"}, {"path": "mine.pt"}, {"membership": ["who"]}):
        config = audited(datasets={"records": CONFIG["datasets"]["records"] | dataset})
        with pytest.raises(ConfigError, match=r"^datasets\.records[:.].*$") as error:
            check(config)
        assert len(str(error.value).splitlines()) == 1
    few = audited(datasets={"records": CONFIG["datasets"]["records"] | {"membership": ["few"]}})
    with pytest.raises(ConfigError, match="^datasets.records.membership: 10 known members: too few"):
        check(few)


def test_models_like_the_given_one_are_of_a_size_that_somebody_knows(files):
    """Few known members would have them trained on a record of each class."""
    sections = {
        "datasets": {"records": {"kind": "csv", "path": "few.csv", "label": "income", "membership": "used"}},
        "targets": {"mine": {"kind": "sklearn", "file": "pipeline.skops"}},
        "queries": {"original": {"kind": "original"}, "peers": {"kind": "references"}},
        "attacks": {"gap": {"kind": "gap", "reads": "original"}, "peers": {"kind": "difficulty", "reads": "peers"}},
    }
    few = [f"{n % 50},{n % 3},{used},{n < 60}" for n, used in enumerate(["1"] * 10 + ["0"] * 90 + [""] * 100)]
    Path("few.csv").write_text("\n".join(["age,town,used,income", *few]))
    start = (
        r"^audits\.first\.n_train: missing; peers: needs models trained on as many records as the given one, and too"
    )
    with pytest.raises(ConfigError, match=start):
        check(audited({"in_question": 9}) | sections)
    for enough in ({"n_train": 500}, {"attacks": ["gap"]}):
        check(audited({"in_question": 9, **enough}) | sections)


@pytest.mark.parametrize("section, needed", [("audits", "target and dataset"), ("studies", "dataset and n_train")])
def test_a_name_in_the_place_of_keys_is_told_in_plain_words(section, needed, files):
    with pytest.raises(ConfigError, match=f"^{section}\\.second: 'mine': expected keys with values, as {needed}$"):
        check(audited(**{section: {"second": "mine"}}))


def test_a_message_about_other_entries_names_the_audit_too(files):
    config = audited(attacks={"folded": {"kind": "classifier", "reads": "original", "folds": 50}})
    with pytest.raises(
        ConfigError, match=r"attacks.folded.folds: 50: more than the 30 members of one half of audits\.first;"
    ):
        check(config)


def test_what_is_sent_is_told_of_the_audit(files):
    assert "  audits.first" in bill(check(audited()))


def test_a_study_whose_name_goes_on_keeps_its_own_key(files):
    """Names may hold dots and hyphens."""
    for name in ("first.b", "first-b", "a.first"):
        config = audited({"evaluated": 9}, studies={name: GIVEN | {"evaluated": 8}})
        with pytest.raises(ConfigError) as error:
            check(config)
        keys = [line.partition(": ")[0] for line in str(error.value).splitlines()]
        assert keys == [f"studies.{name}.evaluated", "audits.first.evaluated"]
    line = "studies.first.model: mine, studies.first.modelled: 1, studies.firsts: 2"
    assert (
        in_own_words(line, check(audited())) == "audits.first.target: mine, audits.first.modelled: 1, studies.firsts: 2"
    )


def test_a_name_is_of_a_study_or_of_an_audit(files):
    with pytest.raises(ConfigError, match=r"^audits\.first: there is a study of this name too, .* rename one$"):
        check(audited(studies={"first": GIVEN}))
    assert list(check(audited(studies={"first": None, "second": GIVEN})).studies) == ["second", "first"]
    assert list(check(audited(audits={"first": None}, studies={"second": GIVEN})).studies) == ["second"]
    with pytest.raises(ConfigError, match="^studies: there is none; say there what is to be run, or name models that"):
        check(audited(audits={"first": None}))


def test_queries_and_attacks_that_are_missing_are_there_to_be_laid_under(files):
    alone = {name: section for name, section in CONFIG.items() if name not in ("queries", "attacks")}
    with pytest.raises(
        ConfigError, match="queries: missing; .*base: config/base/audit.yaml has some\nattacks: missing;"
    ):
        check(alone)
    Path("mine.yaml").write_text(yaml.safe_dump(alone | {"base": "config/base/audit.yaml"}))
    assert load("mine.yaml").attacks_of(load("mine.yaml").studies["first"]) == ["gap", "noise", "boundary"]


def test_the_page_has_an_audit_in_nine_lines(files):
    blocks = re.findall(r"^```yaml\n# mine\.yaml\n(.*?)```", PAGE, re.M | re.S)
    assert len(blocks) == 2
    for block, attacks in zip(blocks, (["gap", "noise", "boundary"], ["gap", "table", "difficulty"]), strict=True):
        assert len(block.splitlines()) <= 9
        Path("mine.yaml").write_text(block)
        config = load("mine.yaml")
        assert config.attacks_of(config.studies["mine"]) == attacks


def test_the_pages_other_blocks_of_audits_are_taken(files):
    """Of shadows, which a trainer makes here, and of records of which none is known."""
    text = (ROOT / "docs/how-to/audit-further.md").read_text()
    shadows, nothing = (
        re.findall(rf"^### {heading}\n.*?^```yaml\n(.*?)```", text, re.M | re.S)[0]
        for heading in ("Thresholds from shadows", "Where nothing is known")
    )
    Path("plugins/own_training.py").write_text("def fit(inputs, classes, seed):\n    return None\n")
    trained = {"targets": {"mine": CONFIG["targets"]["mine"] | {"trainer": "ours"}}}
    config = check(
        audited(audits={"first": None}, **trained, trainers={"ours": {"kind": "plugins.own_training"}})
        | yaml.safe_load(shadows)
    )
    assert config.studies["mine"].n_shadows == 8
    unknown = {"records": CONFIG["datasets"]["records"] | {"membership": ["nobody"]}}
    own = yaml.safe_load(nothing)
    config = check(
        audited(datasets=unknown, queries=own["queries"], attacks=own["attacks"]) | {"audits": own["audits"]}
    )
    assert config.attacks_of(config.studies["mine"]) == ["random"]


@pytest.mark.parametrize(
    "file", ["config.yaml", *sorted(str(file.relative_to(ROOT)) for file in ROOT.glob("config/*.yaml"))]
)
def test_what_a_configuration_comes_to_is_one_and_the_same(file, tmp_path):
    """All that jobs are given follows from the checked configuration."""
    raw, _ = read_layers([ROOT / file])
    config = check(raw)
    (tmp_path / "whole.yaml").write_text(as_yaml(written_out(raw, config)))
    whole, below = read_layers([tmp_path / "whole.yaml"])
    assert below == [] and "audits" not in whole and whole == written_out(raw, config)
    assert str(told(check(whole))) == str(told(config))  # in the same order, which tables have, too
    assert written_out(whole, check(whole)) == whole


def test_the_program_prints_it_or_says_what_is_wrong(files, capsys):
    Path("mine.yaml").write_text(yaml.safe_dump(CONFIG))
    main("mine.yaml", expand=True)
    Path("whole.yaml").write_text(capsys.readouterr().out)
    assert read("whole.yaml")["studies"] == {"first": GIVEN}
    main("mine.yaml")
    reads = "datasets.records reads records.npz\ntargets.mine reads mine.pt\n"
    assert capsys.readouterr().out == f"mine.yaml: sound\n{reads}"
    Path("mine.yaml").write_text(yaml.safe_dump(audited({"target": "net"})))
    with pytest.raises(SystemExit, match="mine.yaml: cannot be run:\naudits.first.target: net: not defined"):
        main("mine.yaml", expand=True)


TEXTS = st.sampled_from(
    ["1e-3", "010", "0o17", "1:5", "1_000", "yes", "~", "", "null", "true", "<<", "=", "a: b", "a #b"]
)
LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False) | TEXTS | st.text()
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.text(), inner, max_size=3),
    max_leaves=9,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "b"]), VALUES))
def test_what_is_written_is_read_as_it_was(tmp_path_factory, config):
    path = tmp_path_factory.getbasetemp() / "written.yaml"
    path.write_text(as_yaml(config), encoding="utf-8")
    assert read(path) == config
