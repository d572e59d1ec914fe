"""What scripts do with artifacts that cannot be used together; whole studies run them elsewhere."""

import numpy as np
import pytest

from lmia import artifacts
from workflow.harness.job import BadInput
from workflow.scripts.draw_split import draw
from workflow.scripts.query_labels import query_labels
from workflow.scripts.score_attack import score

IDS = np.array([[0, 1, 2, 3]])


def answers(path, precision):
    """Answers to four points of class 0 and a copy of each, of one model."""
    labels = np.array([[[0, 0], [0, 0], [0, 1], [1, 1]]])
    arrays = {"labels": labels, "classes": np.zeros((1, 4), int), "magnitudes": np.array([[0.0, 2]])}
    artifacts.save(
        path, "answers", arrays | {"example_ids": IDS}, {"unit": "pixels", "asked": [{"precision": precision}]}
    )
    return path


@pytest.mark.parametrize("other", [None, "target", "0", "1"])
def test_thresholds_carry_over_within_one_precision_only(other, tmp_path):
    """Of the target and two shadows, one or none was asked in another."""
    names = ("target", "0", "1")
    target, *shadows = (answers(tmp_path / f"{n}.npz", "bfloat16" if n == other else "float32") for n in names)
    artifacts.save(tmp_path / "split.npz", "split", {"members": IDS[:, :2]}, {})
    given = {
        "target": target,
        "shadows": shadows,
        "splits": [tmp_path / "split.npz"] * 2,
        "output": tmp_path / "scores.npz",
        "attack": {"kind": "vote", "reads": "shifts", "budget": None, "budgets": []},
        "observation": "labels",
        "seeds": [0],
    }
    if other is None:
        score(**given)
        scored, _ = artifacts.load(tmp_path / "scores.npz", "scores")
        assert scored["scores"][0, 0].tolist() == [1, 1, 0.5, 0] and scored["example_ids"].tolist() == IDS.tolist()
        return
    with pytest.raises(ValueError, match="target and shadows were asked in different precisions"):
        score(**given)
    assert not (tmp_path / "scores.npz").exists()


def drawn(tmp_path, scheme="disjoint", role="target", **given):
    artifacts.save(tmp_path / "data.npz", "dataset", {"classes": np.arange(10) % 2}, {})
    same = {"n_train": 4, "n_nonmembers": None, "seeds": [0, 1], "study": "mine"}
    draw(tmp_path / "data.npz", tmp_path / f"{role}.npz", scheme=scheme, role=role, **same | given)
    return artifacts.load(tmp_path / f"{role}.npz", "split")[0]


def test_halves_of_the_target_are_those_of_the_shadow_the_other_way_round(tmp_path):
    target, shadow = (drawn(tmp_path, "halves", role) for role in ("target", "shadow0"))
    assert target["members"].shape == target["nonmembers"].shape == (2, 4)
    np.testing.assert_array_equal(target["members"], shadow["nonmembers"])
    np.testing.assert_array_equal(target["nonmembers"], shadow["members"])


def test_a_data_set_that_is_too_small_is_blamed_on_the_study(tmp_path):
    message = r"^studies\.mine: n_train: disjoint splits of 4, 4, 4, 4 need 16 examples, the data set has 10"
    with pytest.raises(BadInput, match=message):
        drawn(tmp_path)
    assert not (tmp_path / "target.npz").exists()


class Models(list):
    """No models, which note that answers are saved."""

    def __init__(self, saved):
        super().__init__()
        self.save = lambda *arguments: saved.append(arguments)


@pytest.mark.parametrize("factor", [1, 2])
def test_magnitudes_other_than_the_option_says_are_blamed_on_the_query_set(factor, tmp_path, monkeypatch):
    (tmp_path / f"levels{factor}.py").write_text(
        'MAGNITUDES = "levels"\nclass Perturbation:\n    unit = "level"\n'
        f"    def __init__(self, levels): self.magnitudes = [{factor} * level for level in levels for _ in range(2)]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("lmia.plugins.module_name", lambda package, kind: kind)
    saved, spec = [], {"kind": f"levels{factor}", "levels": [2, 1]}
    given = {"models": Models(saved), "output": "", "spec": spec, "precision": {}, "name": "q", "journal": None}
    if factor == 1:
        query_labels(**given)
        assert saved
        return
    message = (
        r"^queries\.q: MAGNITUDES of levels2 names levels, which is \[2, 1\], but `magnitudes` of its Perturbation are "
        r"\[2\.0, 4\.0\]; give both the same numbers, or take MAGNITUDES out$"
    )
    with pytest.raises(BadInput, match=message):
        query_labels(**given)
    assert not saved
