"""Observations are read from artifacts as they were observed, and only ones of the same precision go together."""

import re

import numpy as np
import pytest

from lmia import artifacts
from lmia.attacks.observation_files import ObservedModels, check_precision, join_blocks, load_observations
from lmia.attacks.observations import Answers, Confidences, Distances

IDS = np.array([[2, 5, 7], [1, 4, 6]])  # of two seeds
COURSES = np.arange(2 * 3 * 1 * 4).reshape(2, 3, 1, 4)
CLASSES = np.array([[0, 1, 1], [1, 0, 1]])
MAGNITUDES = np.array([[0.0, 1, 2], [0.0, 3, 4]])
ARRAYS = {
    "labels": ("answers", {"labels": CLASSES[:, :, None] + [0, 1, 2], "classes": CLASSES, "magnitudes": MAGNITUDES}),
    "distances": (
        "distances",
        {
            "distance": COURSES / 8,
            "n_queries": COURSES,
            "classes": CLASSES,
            "stopped": np.eye(2, 3) > 0,
            "random_distance": np.arange(20.0).reshape(2, 5, 2),
            "random_queries": np.arange(20).reshape(2, 5, 2) + 1,
        },
    ),
    "white_box": ("white_box", {"distance": COURSES / 4, "n_queries": COURSES + 1, "classes": CLASSES}),
    "confidences": (
        "confidences",
        {
            "probabilities": np.full((2, 3, 2), 0.5),
            "classes": CLASSES,
            "phi": np.arange(6.0).reshape(2, 3),
            "population": np.arange(8.0).reshape(2, 4),
        },
    ),
}
TYPES = {"labels": Answers, "distances": Distances, "white_box": Distances, "confidences": Confidences}


@pytest.mark.parametrize("kind", ARRAYS)
def test_each_seed_has_its_own_rows(kind, tmp_path):
    folder, arrays = ARRAYS[kind]
    artifacts.save(tmp_path / "it.npz", folder, arrays | {"example_ids": IDS}, {"unit": "pixels"})
    observed = load_observations(tmp_path / "it.npz", kind)
    assert observed.example_ids.tolist() == IDS.tolist() and observed.unit == "pixels" and not observed.precisions
    assert len(observed.per_seed) == 2
    for s, one in enumerate(observed.per_seed):
        assert type(one) is TYPES[kind]
        for name, values in arrays.items():
            np.testing.assert_array_equal(getattr(one, name), values[s])
    if kind == "white_box":
        assert observed.per_seed[0].stopped is None and observed.per_seed[0].random_distance is None


@pytest.mark.parametrize("kind", ["distances", "confidences"])
def test_what_was_not_asked_may_be_absent_and_nothing_else(kind, tmp_path):
    folder, arrays = ARRAYS[kind]
    optional = {"distances": ["stopped", "random_distance", "random_queries"], "confidences": ["population"]}[kind]
    needed = {name: values for name, values in arrays.items() if name not in optional} | {"example_ids": IDS}
    artifacts.save(tmp_path / "it.npz", folder, needed, {"unit": ""})
    one = load_observations(tmp_path / "it.npz", kind).per_seed[0]
    assert all(getattr(one, name) is None for name in optional)
    for name in needed.keys() - {"example_ids"}:
        without = {key: values for key, values in needed.items() if key != name}
        artifacts.save(tmp_path / "it.npz", folder, without, {"unit": ""})
        with pytest.raises(KeyError, match=name):
            load_observations(tmp_path / "it.npz", kind)


def test_artifacts_of_another_kind_are_refused(tmp_path):
    folder, arrays = ARRAYS["confidences"]
    artifacts.save(tmp_path / "it.npz", folder, arrays | {"example_ids": IDS}, {})
    with pytest.raises(artifacts.ArtifactError, match="expected kind 'answers'"):
        load_observations(tmp_path / "it.npz", "labels")


def asked(*precisions):
    return ObservedModels([], IDS, "", [*precisions])


def test_each_model_says_in_which_precision_it_was_asked(tmp_path):
    folder, arrays = ARRAYS["labels"]
    for first, counts_as in (("bfloat16", "bfloat16"), ("auto", "float32")):  # the latter has labels of float32
        provenance = {"unit": "pixels", "asked": [{"precision": first}, {"precision": "float32"}]}
        artifacts.save(tmp_path / "it.npz", folder, arrays | {"example_ids": IDS}, provenance)
        assert load_observations(tmp_path / "it.npz", "labels").precisions == [counts_as, "float32"]


@pytest.mark.parametrize("last", [("float32", "bfloat16"), ("float32",), ()])
def test_different_precisions_are_refused(last):
    ways = [["float32", "float32"], ["float32", "float32"], [*last]]
    message = (
        f"target and shadows were asked in different precisions ({ways}), as bfloat16 changed too many labels of some; "
        "set precision: float32 of this query set, or raise its most_disagreement"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check_precision([asked("float32", "float32"), asked("float32", "float32"), asked(*last)])


def test_equal_precisions_and_none_go_together():
    check_precision([asked("bfloat16", "float32"), asked("bfloat16", "float32")])
    check_precision([asked(), asked()])


def test_blocks_of_a_pool_are_joined_in_the_order_of_their_seeds():
    one, other = (
        ObservedModels(["c", "d"], IDS, "pixels", ["x", "x"]),
        ObservedModels(["a"], IDS[:1] + 9, "pixels", ["x"]),
    )
    joined = join_blocks([one, other], [[4, 5], [1]])
    assert joined.per_seed == ["a", "c", "d"] and joined.unit == "pixels" and len(joined.precisions) == 3
    assert joined.example_ids.tolist() == [*(IDS[:1] + 9).tolist(), *IDS.tolist()]
    with pytest.raises(ValueError, match="models were asked in different precisions .* set precision: float32"):
        join_blocks([one, ObservedModels(["a"], IDS[:1], "pixels", ["y"])], [[4, 5], [1]])
