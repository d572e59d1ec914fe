"""Given models of tables and texts: what goes with them, and what does not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.workflow.config.given_studies import KNOWN, N, given, refuse
from workflow.config.load import check

pytestmark = pytest.mark.usefixtures("given_files")

TREE = {"kind": "onnx", "file": "mine.ts", "model": None, "weights": None}
PEOPLE = {"kind": "csv", "path": "people.csv", "label": "income", "membership": "known"}
COPIES = {"rows": {"kind": "table", "changes": [1, 3], "samples": 8}}


@pytest.fixture
def people():
    table = {"age": np.arange(N) % 50, "town": np.arange(N) % 4, "sex": np.arange(N) % 2, "known": KNOWN.astype(int)}
    rows = [",".join(map(str, row)) + ",low" for row in zip(*table.values(), strict=True)]
    text = "\n".join([",".join([*table, "income"]), *rows])
    Path("people.csv").write_text(text.replace(",low", ",high", 60))
    frame = pd.read_csv("people.csv")
    frame.assign(known=frame["known"].where(frame["known"] == 1)).to_csv("blank.csv", index=False)


def on_people(study=None, dataset=None, target=TREE, **sections):
    of_table = {"queries": COPIES, "attacks": {"rows": {"kind": "vote", "reads": "rows"}}}
    config = given({"dataset": "people", "attacks": ["gap", "rows"]} | (study or {}), None, target, **of_table)
    config["targets"]["mine"] = {name: value for name, value in config["targets"]["mine"].items() if value is not None}
    config["datasets"]["people"] = PEOPLE | (dataset or {})
    for section, entries in sections.items():
        config[section] = config.get(section, {}) | entries
    return config


def test_records_of_a_table_are_asked_by_what_changes_columns(people):
    config = check(on_people({"attacks": None}))
    assert config.attacks_of(config.studies["audit"]) == ["gap", "table", "rows"]  # of all that the default study has
    assert config.datasets["people"].known() == (60, 80)
    assert config.datasets["people"].fact("SHAPE") == (3,) and config.datasets["people"].fact("N_EXAMPLES") == N
    assert "table" not in config.attacks_of(config.studies["digits-mlp"])


BAD_TABLES = {
    "codes of no such column": (
        {"dataset": {"as_text": ["twon"]}},
        "datasets.people: people.csv: no column twon; it has age, town, sex",
    ),
    "others that are not marked": (
        {"dataset": {"path": "blank.csv"}},
        "datasets.people.membership: 0 known non-members: too few for one half to judge the other; at least 50 of each "
        "kind are needed; members alone do not tell what is the model's and what any model finds easy; add records of "
        "the same population that it was not trained on, as those that came too late for it; nothing, or -1, means "
        "that nobody knows: write 0",
    ),
    "a search where distance means nothing": (
        {"study": {"attacks": ["gap", "boundary"]}},
        "queries.boundary: moves numbers, and a table has columns of its own, with no distance between records; use "
        "kind table, or leave out the attacks that read it for people",
    ),
    "copies of records where there are none": (
        {"study": {"dataset": "records"}},
        "queries.rows: changes columns of a table, and the data set has numbers alone; use kind csv there",
    ),
    "a network": (
        {"target": {"kind": "torch", "model": "mlp", "weights": "mine.pt"}},
        "studies.audit.model: mine: a torch model takes numbers, and people has records; write its columns as numbers",
    ),
    "training": (
        {"study": {"splits": "disjoint", "model": "mlp", "n_train": [40]}},
        "studies.audit.dataset: people: is a table, of which only given models are asked; to train on it, write its",
    ),
    "more changes than columns": (
        {"queries": {"rows": {"kind": "table", "changes": [5, 4], "samples": 8}}},
        "queries.rows.changes: 4: people has only 3 columns; lower it",
    ),
    "a group that is no column": (
        {"dataset": {"groups": ["gender"]}},
        "datasets.people: people.csv: no column gender; it has age, town, sex, known, income",
    ),
    "a label that is none": ({"dataset": {"label": "wage"}}, "datasets.people: people.csv: no column wage; it has age"),
    "no file": (
        {"dataset": {"path": "nowhere.csv"}},
        "datasets.people.path: nowhere.csv: No such file or directory in {folder}; give the path of a .csv file",
    ),
    "references of a model that nobody can train": (
        {"attacks": {"hard": {"kind": "difficulty", "reads": "like-it"}}, "study": {"attacks": ["gap", "hard"]}}
        | {"queries": {"like-it": {"kind": "references"}}},
        "studies.audit.attacks: hard: queries.like-it needs models trained like it, and nothing says how; give its",
    ),
    "references where there are shadows": (
        {"attacks": {"hard": {"kind": "difficulty", "reads": "like-it"}}, "study": {"attacks": ["gap", "hard"]}}
        | {"study": {"dataset": "digits", "splits": "disjoint", "model": "mlp", "n_train": [40], "attacks": ["hard"]}}
        | {"queries": {"like-it": {"kind": "references"}}},
        "queries.like-it: trains models like a given one, and studies.audit has shadows of its own; leave out the",
    ),
    "nothing known": (
        {"dataset": {"membership": None}},
        "studies.audit.dataset: people: does not say what the model was trained on; let it be of kind npz or csv, and",
    ),
}


REVIEWS = {"path": "reviews.csv", "texts": ["review"], "leave_out": ["age", "town", "sex", "title"]}
FOLDER = {"kind": "huggingface", "folder": "folder", "model": None, "weights": None}
WORDS = {"queries": COPIES | {"words": {"kind": "words", "shares": [0.2], "samples": 8}}}
WORDS["attacks"] = {"rows": {"kind": "vote", "reads": "rows"}, "words": {"kind": "vote", "reads": "words"}}


@pytest.fixture
def reviews(people):
    frame = pd.read_csv("people.csv")
    frame.assign(title="It", review="Good film").to_csv("reviews.csv", index=False)
    Path("folder").mkdir()
    Path("folder/config.json").write_text("{}")
    Path("folder/model.safetensors").write_text("weights")


def test_texts_are_asked_by_what_changes_words(reviews):
    config = check(on_people({"attacks": None}, REVIEWS, FOLDER, **WORDS))
    assert config.attacks_of(config.studies["audit"]) == ["gap", "words"]
    assert config.datasets["people"].fact("SHAPE") == (2,) and config.datasets["people"].columns() == (["review"], [])
    beside = REVIEWS | {"leave_out": []}
    both = check(on_people({"attacks": None}, beside, **WORDS))  # whose default has both
    assert both.attacks_of(both.studies["audit"]) == ["gap", "table", "words", "rows"]
    assert "words" not in config.attacks_of(config.studies["digits-mlp"])


BAD_TEXTS = {
    "columns where there are texts alone": (
        {"dataset": REVIEWS},
        "queries.rows: changes other columns than texts, and the data set has texts alone; use kind words there, or",
    ),
    "words where there are none": (
        {"study": {"attacks": ["gap", "words"]}},
        "queries.words: changes words of texts, and the data set has none; use kind csv, and name them as its texts",
    ),
    "words of numbers": (
        {"study": {"dataset": "records", "attacks": ["gap", "words"]}},
        "queries.words: changes words of texts, and the data set has none; use kind csv, and name them as its texts",
    ),
    "more shares than there are": (
        {"queries": {"words": {"kind": "words", "shares": [1.5], "samples": 8}}},
        "queries.words.shares.0: 1.5: not possible here; it should be less than or equal to 1",
    ),
    "no such text": ({"dataset": {"texts": ["story"]}}, "datasets.people: people.csv: no column story; it has age"),
    "a text that is left out": (
        {"dataset": REVIEWS | {"texts": ["title"]}},
        "datasets.people: reviews.csv: texts: title: the model is not given that column; leave it out here",
    ),
    "a text that is a category": (
        {"dataset": REVIEWS | {"categories": ["review"]}},
        "datasets.people: reviews.csv: texts: review: is under categories, too; name it in one of them",
    ),
    "other columns for a model of texts": (
        {"dataset": REVIEWS | {"leave_out": []}, "target": FOLDER, "study": {"attacks": ["gap"]}},
        "studies.audit.model: mine: takes one text, and records have review, age, town, sex, title; name one",
    ),
    "two texts for a model of one": (
        {"dataset": REVIEWS | {"texts": ["title", "review"], "leave_out": ["age", "town", "sex"]}, "target": FOLDER}
        | {"study": {"attacks": ["gap"]}},
        "studies.audit.model: mine: takes one text, and records have title, review; name one column under texts, and",
    ),
    "a file for a folder": (
        {"target": FOLDER | {"folder": "people.csv"}},
        "targets.mine.folder: people.csv: no such folder in {folder}; give the path of the model",
    ),
    "a folder of something else": (
        {"target": FOLDER | {"folder": "plugins"}},
        "targets.mine.folder: plugins: client.py: could run what it likes, and is not read; save the model by save_",
    ),
}


@pytest.mark.parametrize("case", BAD_TEXTS)
def test_what_does_not_go_with_texts_is_refused(case, reviews):
    changes, expected = BAD_TEXTS[case]
    sections = {name: (WORDS[name] | changes.get(name, {})) for name in WORDS}
    refuse(on_people(**changes | sections), expected)


@pytest.mark.parametrize("case", BAD_TABLES)
def test_what_does_not_go_with_a_table_is_refused(case, people):
    changes, expected = BAD_TABLES[case]
    refuse(on_people(**changes), expected)
