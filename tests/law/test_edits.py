"""The law, as far as plans show it: an edit of any key plans what reads that key, what follows from it, and no more.

What follows is worked out here from the params and inputs of all jobs before and after the edit. That a job reads no
more than its params and inputs say is shown by bytes (test_from_scratch.py).
"""

import contextlib
import copy
import datetime
import hashlib
import itertools
import json
import random
from pathlib import Path

import pytest

from tests.law.conftest import write
from tests.law.readers import ASKS, READERS
from tests.law.study import EVERY_KIND, HINTS
from tests.law.walk import all_edited, keys
from workflow.config.load import ConfigError, check

ROOT = Path(__file__).parents[2]
SAMPLE, SHARDS, VALUES = 6, 12, 5
SEED = datetime.date.today().toordinal()  # another sample every day
# Of these, one at least reads whatever of the section is read.
FIRST = READERS | {
    "models": {"train_model", "import_target"},
    "targets": {"import_target"},
    "defenses": {"train_model", "query_confidences"},
    "queries": ASKS | {"fit_stopping"},
    "attacks": {
        *("score_attack", "score_given", "score_in_question", "score_pool"),
        *("compare_in_question", "decide_in_question"),
    },
    "metrics": {"measure_attack"},
    "epsilon": {"bound_epsilon"},
}
# Keys that no result depends on, each with its reason.
READ_BY_NONE = {
    "Config.save_every": "how often a job saves",
    "Config.device": "a machine without a GPU does not repeat what a GPU made",
    "Config.cache": "where results are shared",
    "Torchvision.download": "how they get there",
    "Published.path": "where a file lies",
    "Unpublished.path": "where a file lies",
    "Adult.path": "where a file lies",
    "Npz.path": "where a file lies",
    "TorchTarget.weights": "where a file lies",
    "TorchScriptTarget.file": "where a file lies",
    "SklearnTarget.file": "where a file lies",
    "OnnxTarget.file": "where a file lies",
    "XgboostTarget.file": "where a file lies",
    "LightgbmTarget.file": "where a file lies",
    "HuggingfaceTarget.folder": "where files lie",
    "Csv.path": "where a file lies",
    **{
        f"HttpTarget.{option}": "how a model is asked and paid"
        for option in ("batch", "per_second", "most", "price", "currency", "spend", "timeout", "patience")
    },
    "Exhibit.figures": "which figures its name makes as well",
    "Difficulty.shadows": "of pools, in which no model is given",
    "CalibratedDistance.shadows": "of pools, whose models start at no others",
    "PaperNumbers.not_run": "told only of a study that is taken out, and all are there",
}
# Keys of which no other valid value here plans anything, each with its reason.
WITHOUT_EDIT = {
    "ConfidenceVector.kind": "what reads confidences reads no other kind",
    "TorchScriptTarget.trust": "it is the hash of the file, and no other is taken",
    "SklearnTarget.trust": "it is the hash of the file, and no other is taken",
    "Gap.kind": "no other kind reads what is asked on numbers and on records",
    "EpsilonBounds.study": "no other study bounds epsilon",
    "Original.kind": "no other kind is asked on numbers and on records",
    "References.kind": "what reads them reads no other kind",
    "Relabelled.kind": "what reads it reads no other kind",
    "SklearnTarget.kind": "no other kind can be trained again",
    "Adult.kind": "no other kind has the columns that mixed noise is asked for",
    "Csv.kind": "what copies of records are asked for, numbers are not",
    "Dropout.kind": "a figure shows its family, which has no other defense",
}


# Keys that few of their places can have, so that those that state them come first: all others are tried in vain.
OF_FEW = ("Study.prior", "Study.alternatives", "Study.in_question", "Study.relabelled", "Vote.shadows")


@pytest.fixture(scope="module")
def places(everything):
    """Every key of the schema -> its places in the configuration, in an order that differs from day to day."""
    checkout, _ = everything
    with contextlib.chdir(checkout.path):  # where the users' files lie
        found = keys(check(EVERY_KIND))
    del found["Config.base"]  # what counts is what the files come to
    found = {key: paths for key, paths in found.items() if not key.endswith("Target.trainer")}  # see test_plugins.py
    draw = random.Random(SEED)
    drawn = {key: draw.sample(found[key], len(found[key])) for key in sorted(found)}
    return {key: sorted(drawn[key], key=is_default) if key in OF_FEW else drawn[key] for key in drawn}


def is_default(path):
    """Whether the configuration does not state the key at a path."""
    node = EVERY_KIND
    for key in path[:-1]:
        node = node.get(key, {}) if isinstance(node, dict) else node[key]
    return path[-1] not in node


def edits(everything, key, places):
    """(place, configuration with another value there) for each of its places, and each of a few values."""
    for place in places:
        values = itertools.islice(all_edited(EVERY_KIND, place, HINTS.get(key, ())), VALUES)
        while True:
            with contextlib.chdir(everything[0].path):
                raw = next(values, None)
            if raw is None:
                break
            yield place, raw


def recipes(plan):
    """First output of each job -> hash of all that it depends on: its params, and the recipes of its inputs."""
    made, found = plan.made(), {}
    maker = {output: first for first, job in made.items() for output in job["outputs"]}

    def recipe(first):
        if first not in found:
            job = made[first]
            inputs = {name: [recipe(maker[file]) for file in files] for name, files in job["inputs"].items()}
            params = {name: value for name, value in job["params"].items() if name != "code"}
            code = sorted(entry.rpartition("@")[2] for entry in job["params"]["code"])
            text = json.dumps([params, code, inputs], sort_keys=True)
            found[first] = hashlib.sha256(text.encode()).hexdigest()
        return found[first]

    for first in made:
        recipe(first)
    return found


def expected(before, after):
    """First outputs of the jobs that an edit is to plan: results of another recipe, of which none is there."""
    old, new = recipes(before), recipes(after)
    there = set(old.values())
    return {first for first in new if old.get(first) != new[first] and (first in old or new[first] not in there)}


def first_readers(before, after):
    """Rules of the jobs that an edit gives other params."""
    old, new = before.made(), after.made()
    return {new[first]["rule"] for first in old.keys() & new.keys() if old[first]["params"] != new[first]["params"]}


def section_of(path):
    if path[0] == "studies":
        return next((name for name in ("training", "outliers", "epsilon") if name in path[2:-1]), path[0])
    return path[0]


def problem(planner, everything, key, places):
    """What an edit of a key plans that it should not, or the other way round; None where it is right.

    Of a key that jobs read, the first edit counts that is none in words alone, as where the default is stated.
    """
    checkout, before = everything
    for place, raw in edits(everything, key, places):
        write(checkout, raw)
        try:
            after = planner.plan(checkout)
        finally:
            write(checkout, EVERY_KIND)
        where, planned = ".".join(map(str, place)), after.planned()
        if planned != (wanted := expected(before, after)):
            return f"{where}: not planned: {sorted(wanted - planned)[:3]}, in vain: {sorted(planned - wanted)[:3]}"
        if (readers := first_readers(before, after)) - READERS.get(section_of(place), readers):
            return f"{where}: read by {sorted(readers)}"
        is_other = key.endswith(".kind")  # then other results are made first, which had no readers before
        if not is_other and readers and not readers & FIRST.get(section_of(place), readers):
            return f"{where}: read by {sorted(readers)} alone"
        if key in READ_BY_NONE:
            return f"{where}: plans {dict(after.rules())}" if planned else None
        if planned:
            return f"{where}: has another value after all" if key in WITHOUT_EDIT else None
    if key not in WITHOUT_EDIT:
        return f"{key}: no other valid value plans anything; add one to HINTS, or say in READ_BY_NONE why"


def problems(planner, everything, places, chosen):
    return [found for key in chosen if (found := problem(planner, everything, key, places[key]))]


def test_an_edit_of_some_keys_plans_what_reads_them_and_no_more(planner, everything, places, capsys):
    chosen = random.Random(SEED).sample(sorted(places), SAMPLE)
    assert problems(planner, everything, places, chosen) == []
    with capsys.disabled():
        print(f"\n{SAMPLE} of {len(places)} keys (seed {SEED}): {', '.join(chosen)}: all planned")


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(SHARDS))
def test_an_edit_of_any_key_plans_what_reads_it_and_no_more(planner, everything, places, capsys, shard):
    chosen = sorted(places)[shard::SHARDS]
    assert problems(planner, everything, places, chosen) == []
    exempt = [f"{key} ({why})" for key, why in (READ_BY_NONE | WITHOUT_EDIT).items() if key in chosen]
    with capsys.disabled():
        print(f"\n{len(chosen)} keys, all planned; read by no job: {', '.join(exempt) or 'none'}")


def test_every_exempt_key_is_one(places):
    assert READ_BY_NONE.keys() <= places.keys()
    assert WITHOUT_EDIT.keys() <= places.keys()


@pytest.mark.parametrize("junk", ["nowhere", 0, -1, 10**30, None, True, [], {}, ["nowhere"]], ids=repr)
def test_whatever_stands_at_a_key_it_is_taken_or_refused_by_a_line_that_names_a_key(everything, places, junk):
    for first, *_ in places.values():
        raw = copy.deepcopy(EVERY_KIND)
        node = raw
        for key in first[:-1]:
            node = node.setdefault(key, {}) if isinstance(node, dict) else node[key]
        node[first[-1]] = junk
        with contextlib.chdir(everything[0].path):
            try:
                check(raw)
            except ConfigError as error:
                assert all(line.split(".")[0].split(":")[0] in raw for line in str(error).splitlines()), error
