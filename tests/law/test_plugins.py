"""The law for plug-ins: what loads one is planned by an edit of its code, of an option, or of a file that it names.

What follows from a job is worked out here from the inputs of all jobs.
"""

import copy

import pytest

from tests.law.conftest import write
from tests.law.given_files import place
from tests.law.study import EVERY_KIND
from tests.workflow.conftest import make_checkout

MODULES = {
    "datasets": "N_EXAMPLES = 400\nSHAPE = (1, 8, 8)\n\n\ndef load(option):\n    pass\n",
    "models": "def build(shape, n_classes, option):\n    pass\n",
    "trainers": "def fit(inputs, classes, seed, option):\n    pass\n",
    "targets": "def build(shape, n_classes, option):\n    pass\n",
    "defenses": "from lmia.defenses import base\n\n\n"
    "class Defense(base.Defense):\n    def __init__(self, option):\n        pass\n",
    "queries": "class Perturbation:\n    unit, magnitudes = 'level', ()\n\n"
    "    def __init__(self, option):\n        pass\n\n"
    "    def blocks(self, inputs, streams):\n        yield inputs[:, None]\n",
    "attacks": 'class Attack:\n    reads = ("labels",)\n\n    def __init__(self, option):\n        pass\n\n'
    "    def fit(self, shadow, is_member):\n        return self\n\n"
    "    def score(self, target):\n        return target.features()[:, 0]\n",
}
OWN = {section: "own" for section in MODULES} | {"targets": "given"}  # no target has the name of a model
CONFIG = {
    "base": "none",
    **{section: {OWN[section]: {"kind": f"plugins.{section}", "option": 1}} for section in MODULES},
    "studies": {
        "small": {
            "dataset": "own",
            "n_train": [40],
            "model": "own",
            "defenses": ["own"],
            "seeds": [0],
            "outliers": EVERY_KIND["studies"]["small"]["outliers"],
        },
        "audit": {
            "dataset": "records",
            "n_train": [100],
            "splits": "given",
            "model": "given",
            "seeds": [0],
            "shadows": 4,
            "attacks": ["gap", "distance", "directions", "harder"],
        },
        "trained": {
            "dataset": "records",
            "n_train": [70],
            "splits": "given",
            "model": "trained",
            "seeds": [0],
            "attacks": ["gap"],
        },
    },
    "metrics": EVERY_KIND["metrics"],
    "figures": {"gallery": {"kind": "gallery", "study": "small", "queries": ["own"]}},
}
CONFIG["attacks"]["own"]["reads"] = "own"
CONFIG["targets"]["given"]["trainer"] = "own"
CONFIG["targets"]["trained"] = {"kind": "torch", "model": "own", "trainer": "own"}
for section, name, entry in (
    ("defenses", "none", {"kind": "none"}),
    ("datasets", "records", EVERY_KIND["datasets"]["records"]),
    ("queries", "original", {"kind": "original"}),
    ("attacks", "gap", {"kind": "gap", "reads": "original"}),
    ("queries", "settled", EVERY_KIND["queries"]["settled"]),
    ("queries", "boundary", EVERY_KIND["queries"]["boundary"]),
    ("queries", "directions", EVERY_KIND["queries"]["directions"]),
    ("queries", "confidences", {"kind": "confidences"}),
    ("queries", "gradients", {"kind": "white_box", "steps": 3}),
    ("queries", "peers", {"kind": "references", "models": 4}),
    ("attacks", "harder", {"kind": "difficulty", "reads": "peers"}),
    ("attacks", "settled", {"kind": "distance", "reads": "settled"}),
    ("attacks", "distance", {"kind": "distance", "reads": "boundary"}),
    ("attacks", "directions", {"kind": "distance", "reads": "directions"}),
    ("attacks", "confidence", {"kind": "true_confidence", "reads": "confidences"}),
    ("attacks", "white-box", {"kind": "distance", "reads": "gradients"}),
):
    CONFIG[section][name] = entry
LOADED_BY = {  # rules that must be among those that load the plug-in of a section
    "datasets": {"prepare_dataset"},
    "models": {
        "check_study",
        "train_model",
        "query_labels",
        "search_boundary",
        "search_directions",
        "query_confidences",
        "query_white_box",
    },
    "trainers": {
        *("import_target", "train_shadow", "query_references"),
        *("query_labels", "search_boundary", "search_directions"),
    },
    "targets": {"import_target", "query_labels", "search_boundary", "search_directions"},
    "defenses": {"train_model", "query_confidences"},
    "queries": {"query_labels", "plot_gallery"},
    "attacks": {"score_attack"},
}


@pytest.fixture(scope="module")
def checkout(planner, tmp_path_factory):
    checkout = make_checkout(tmp_path_factory.mktemp("plugins") / "checkout")
    place(checkout.path)
    (checkout.path / "plugins").mkdir()
    for section, module in MODULES.items():
        (checkout.path / f"plugins/{section}.py").write_text(f'FILES = ["{section}.txt"]\n\n\n{module}')
        (checkout.path / f"plugins/{section}.txt").write_text("1")
    write(checkout, CONFIG)
    planner.plan(checkout, targets=["all"], forge=True)
    return checkout


def edited_code(checkout, section):
    checkout.edit(f"plugins/{section}.py", "    pass\n", "    return\n")


def edited_option(checkout, section):
    config = copy.deepcopy(CONFIG)
    config[section][OWN[section]]["option"] = 2
    write(checkout, config)


def edited_file(checkout, section):
    (checkout.path / f"plugins/{section}.txt").write_text("2")


@pytest.mark.parametrize("section", MODULES)
@pytest.mark.parametrize(
    "edit",
    [edited_file, *(pytest.param(edit, marks=pytest.mark.slow) for edit in (edited_code, edited_option))],
)
def test_an_edit_of_a_plug_in_plans_what_loads_it_and_what_follows(planner, checkout, section, edit):
    before = planner.plan(checkout, targets=["all"])
    assert not before.planned()
    loading = {first for first, job in before.made().items() if loads(job, f"plugins/{section}.py@")}
    assert LOADED_BY[section] <= {before.made()[first]["rule"] for first in loading}
    files = [checkout.path / name for name in ("config.yaml", f"plugins/{section}.py", f"plugins/{section}.txt")]
    texts = [file.read_text() for file in files]
    try:
        edit(checkout, section)
        after = planner.plan(checkout, targets=["all"])
    finally:
        for file, text in zip(files, texts, strict=True):
            file.write_text(text)
    old, new = before.made(), after.made()
    assert {first for first in old if old[first]["params"] != new[first]["params"]} == loading
    assert after.planned() == with_what_follows(loading, before)


def loads(job, file):
    return any(entry.startswith(file) for entry in job["params"]["code"])


def with_what_follows(firsts, plan):
    made, found = plan.made(), set(firsts)
    maker = {output: first for first, job in made.items() for output in job["outputs"]}
    while more := {
        first
        for first, job in made.items()
        if first not in found and any(maker[file] in found for files in job["inputs"].values() for file in files)
    }:
        found |= more
    return found
