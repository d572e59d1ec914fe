"""Models of other programs are trained again on other records, as they were trained, and on nothing else."""

import contextlib

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder
from sklearn.tree import DecisionTreeClassifier

from lmia import plugins
from lmia.label_function import Unanswered, as_network
from lmia.models.checkpoints import restore, to_arrays
from lmia.targets.trained import KEPT
from tests.targets.other_files import (
    CODED,
    CODED_LABELS,
    CODED_TABLE,
    DIGITS,
    LABELS,
    PIXELS,
    RECORDS,
    TABLE,
    N,
    as_categories,
    check,
    numbered,
    opened,
    pipeline,
    trusted,
)


def test_a_pipeline_is_trained_again_on_other_records(tmp_path):
    classifier = RandomForestClassifier(20, random_state=0, max_depth=4, n_jobs=2)
    path, rows = tmp_path / "it.joblib", np.arange(0, N, 3)
    joblib.dump(pipeline(classifier), path)
    network, _ = opened("sklearn", path, 2, TABLE, **trusted(path))
    inputs, classes = TABLE.encode(RECORDS), TABLE.class_numbers(LABELS)
    again = network.retrained(inputs[rows], classes[rows], 7)
    encode = make_column_transformer((OneHotEncoder(), ["home-town"]), ("passthrough", ["age", "income"]))
    expected = make_pipeline(encode, RandomForestClassifier(20, random_state=7, max_depth=4))
    expected.fit(RECORDS.iloc[rows], LABELS[rows])
    check([again.eval()], inputs, numbered(expected.predict(RECORDS)))
    assert network(torch.from_numpy(inputs)).argmax(1).tolist() != again(torch.from_numpy(inputs)).argmax(1).tolist()
    with pytest.raises(ValueError, match="^the estimator cannot be trained again on other records"):
        network.retrained(inputs[:0], classes[:0], 7)


def test_an_estimator_is_trained_again_on_images(tmp_path):
    path = tmp_path / "it.joblib"
    joblib.dump(LogisticRegression(max_iter=300).fit(PIXELS, DIGITS), path)
    network, _ = opened("sklearn", path, 10, **trusted(path))
    again = network.retrained(PIXELS[:500].reshape(-1, 1, 8, 8), DIGITS[:500], 0)
    check([again], PIXELS, LogisticRegression(max_iter=300).fit(PIXELS[:500], DIGITS[:500]).predict(PIXELS))


def test_a_part_that_stays_as_it_was_trained_is_refused(tmp_path):
    """A clone of it would know the members, and every record would look easy."""
    fitted, path = RandomForestClassifier(5, random_state=0).fit(PIXELS, DIGITS), tmp_path / "it.joblib"
    frozen = CalibratedClassifierCV(FrozenEstimator(fitted)).fit(PIXELS, DIGITS)
    joblib.dump(frozen, path)
    network, _ = opened("sklearn", path, 10, **trusted(path))
    with pytest.raises(ValueError, match="cannot be trained again on other records .a part of it is frozen"):
        network.retrained(PIXELS[:500], DIGITS[:500], 0)
    joblib.dump(VotingClassifier([("a", FrozenEstimator(fitted))]).fit(PIXELS, DIGITS), path)
    with pytest.raises(ValueError, match="frozen.*; leave out the attacks that read references, of kind difficulty"):
        opened("sklearn", path, 10, **trusted(path))[0].retrained(PIXELS[:500], DIGITS[:500], 0)


def test_frozen_parts_that_know_labels_are_refused_and_others_are_not(tmp_path):
    path = tmp_path / "it.joblib"
    for frozen, knows in ((TargetEncoder(), True), (StandardScaler(), False)):
        fitted = FrozenEstimator(frozen.fit(PIXELS[:300], DIGITS[:300]))
        joblib.dump(make_pipeline(fitted, DecisionTreeClassifier()).fit(PIXELS[:300], DIGITS[:300]), path)
        network, _ = opened("sklearn", path, 10, **trusted(path))
        with pytest.raises(ValueError, match="a part of it is frozen") if knows else contextlib.nullcontext():
            network.retrained(PIXELS[:300], DIGITS[:300], 0)
    joblib.dump(FrozenEstimator(DecisionTreeClassifier().fit(PIXELS, DIGITS)), path)
    with pytest.raises(ValueError, match="a part of it is frozen"):
        opened("sklearn", path, 10, **trusted(path))[0].retrained(PIXELS[:300], DIGITS[:300], 0)


def to_train(path, options):
    network = as_network(plugins.load("targets", "sklearn").build((64,), 10, **options), 10)
    plugins.load("targets", "sklearn").load(network, path)
    return network


def test_an_estimator_is_trained_again_with_other_settings_and_comes_back_the_same(tmp_path):
    path = tmp_path / "it.joblib"
    joblib.dump(RandomForestClassifier(5, random_state=0).fit(PIXELS[:100], DIGITS[:100]), path)
    options = trusted(path) | {"settings": {"max_depth": 2, "bootstrap": False}}
    network = to_train(path, options)
    network.retrain(PIXELS[:400], DIGITS[:400], 7, asked=PIXELS[400:])
    by_hand = RandomForestClassifier(5, max_depth=2, bootstrap=False, random_state=7).fit(PIXELS[:400], DIGITS[:400])
    np.testing.assert_array_equal(network(torch.from_numpy(PIXELS)).argmax(1), by_hand.predict(PIXELS))
    arrays = to_arrays(network, 3)
    assert set(arrays) == {f"3/{name}" for name in ("file", "inputs", "classes", "seed", "asked", "labels")}
    again = restore(plugins.load("targets", "sklearn").build((64,), 10, **options), arrays, 3)
    assert torch.equal(again(torch.from_numpy(PIXELS)), network(torch.from_numpy(PIXELS)))
    shallow = again.retrained(PIXELS[:200], DIGITS[:200], 5)(torch.from_numpy(PIXELS)).argmax(1)
    by_hand = RandomForestClassifier(5, max_depth=2, bootstrap=False, random_state=5).fit(PIXELS[:200], DIGITS[:200])
    np.testing.assert_array_equal(shallow, by_hand.predict(PIXELS))


def test_an_estimator_that_becomes_another_when_it_is_trained_again_is_refused(tmp_path):
    path = tmp_path / "it.joblib"
    joblib.dump(RandomForestClassifier(5, random_state=0).fit(PIXELS[:100], DIGITS[:100]), path)
    options = trusted(path) | {"settings": {}}
    network = to_train(path, options)
    network.retrain(PIXELS[:400], DIGITS[:400], 7, asked=PIXELS)
    arrays = to_arrays(network, 3)
    assert len(arrays["3/asked"]) == len(arrays["3/labels"]) == KEPT < len(PIXELS)
    arrays["3/seed"] += 1
    with pytest.raises(Unanswered, match=rf"trained again, of the same seed, .* of {KEPT} inputs otherwise"):
        restore(plugins.load("targets", "sklearn").build((64,), 10, **options), arrays, 3)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_seed_is_the_random_state_of_each_part_that_has_none(tmp_path, seed):
    def forests(state):
        return VotingClassifier([(name, RandomForestClassifier(3, random_state=state)) for name in ("a", "b")])

    path = tmp_path / "it.joblib"
    joblib.dump(forests(None).fit(PIXELS[:100], DIGITS[:100]), path)
    network = opened("sklearn", path, 10, **trusted(path))[0].retrained(PIXELS[:300], DIGITS[:300], seed)
    by_hand = forests(seed).fit(PIXELS[:300], DIGITS[:300])
    np.testing.assert_array_equal(network(torch.from_numpy(PIXELS)).argmax(1), by_hand.predict(PIXELS))


def test_settings_that_an_estimator_does_not_have_are_told_in_one_line(tmp_path):
    path = tmp_path / "it.joblib"
    joblib.dump(RandomForestClassifier(5, random_state=0).fit(PIXELS[:100], DIGITS[:100]), path)
    network = to_train(path, trusted(path) | {"settings": {"max_dept": 2}})
    with pytest.raises(
        ValueError,
        match="again on other records .max_dept: it has no such parameter; did you mean max_depth[?].; mend its",
    ):
        network.retrain(PIXELS[:400], DIGITS[:400], 7, asked=PIXELS)


def test_a_seed_decides_all_that_is_random_in_training(tmp_path):
    """Also where an estimator draws from the global generator, which stays as it was."""
    path, splits = tmp_path / "it.joblib", StratifiedKFold(3, shuffle=True)
    search = GridSearchCV(
        DecisionTreeClassifier(), {"max_depth": [3, 4, 5, 6, 7, 8], "max_features": [4, 8]}, cv=splits
    )
    joblib.dump(search.fit(PIXELS[:200], DIGITS[:200]), path)
    network, _ = opened("sklearn", path, 10, **trusted(path))
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    labels = [network.retrained(PIXELS[:300], DIGITS[:300], seed)(torch.from_numpy(PIXELS)) for seed in (1, 1, 2)]
    assert torch.equal(labels[0], labels[1]) and not torch.equal(labels[0], labels[2])
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize("around", [lambda it: it, make_pipeline, lambda it: GridSearchCV(it, {"max_iter": [9]}, cv=2)])
def test_what_was_trained_on_categories_is_trained_on_categories_again(around, tmp_path):
    """Codes as texts, which are neither numbers then nor refused."""
    path, frame = tmp_path / "it.joblib", as_categories(CODED)
    model = around(HistGradientBoostingClassifier(max_iter=9, random_state=0)).fit(frame, CODED_LABELS)
    joblib.dump(model, path)
    network, _ = opened("sklearn", path, 2, CODED_TABLE, **trusted(path))
    inputs, rows = CODED_TABLE.encode(CODED), np.arange(0, N, 2)
    check([network], inputs, model.predict(frame))
    expected = clone(model).fit(frame.iloc[rows], CODED_LABELS[rows]).predict(frame)
    assert (expected != model.predict(frame)).any()
    check([network.retrained(inputs[rows], CODED_LABELS[rows].to_numpy(), 0)], inputs, expected)


def test_what_was_trained_on_numbers_is_trained_on_numbers_again(tmp_path):
    path = tmp_path / "it.joblib"
    encode = make_column_transformer((OneHotEncoder(), ["home-town"]), ("passthrough", ["age", "income"]))
    model = make_pipeline(encode, RandomForestClassifier(5, random_state=0)).fit(RECORDS, numbered(LABELS))
    joblib.dump(model, path)
    network, _ = opened("sklearn", path, 2, TABLE, **trusted(path))
    inputs, classes = TABLE.encode(RECORDS), TABLE.class_numbers(LABELS)
    check([network], inputs, model.predict(RECORDS))
    check([network.retrained(inputs, classes, 0)], inputs, model.predict(RECORDS))
