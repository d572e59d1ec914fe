"""What the comparison with known others says of references, which nobody else checks there."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from lmia import artifacts
from workflow.scripts.compare_in_question import compare

ABOUT = {"study": "audit", "dataset": "records", "model": "mine", "n_train": 500, "prior": None, "references": True}
ATTACK = {"kind": "difficulty", "reads": "peers", "budget": None}


def observed(path, ids, is_right, share, draw):
    """Eight references, of which each was trained on half of the records, and is right on such a share of all."""
    is_in = draw.random((1, len(ids), 8)) < 0.5
    arrays = {"labels": 1 - is_right[None].astype(int), "reference_labels": 1 - (draw.random(is_in.shape) < share)}
    arrays |= {"is_in": is_in, "classes": np.zeros((1, len(ids)), int), "example_ids": ids[None]}
    artifacts.save(path, "references", arrays, {"unit": ""})
    return [str(path)]


@pytest.mark.parametrize(("share", "flags"), [(0.8, 0), (0.4, 1)])
def test_references_that_are_right_otherwise_on_known_others_are_flagged(share, flags, tmp_path):
    draw, known, asked = np.random.default_rng(0), np.arange(200), np.arange(200, 240)
    data = {"inputs": draw.random((240, 4)).astype(np.float32), "classes": np.zeros(240, int)}
    paths = {name: str(tmp_path / f"{name}.npz") for name in ("dataset", "split", "model")}
    artifacts.save(paths["dataset"], "dataset", data, {})
    artifacts.save(paths["split"], "split", {"members": known[None, :0], "nonmembers": known[None]}, {})
    artifacts.save(paths["model"], "model", {"test_accuracy": np.array([0.8])}, {})
    inputs = SimpleNamespace(
        **paths,
        known=observed(tmp_path / "known.npz", known, draw.random(200) < 0.8, share, draw),
        in_question=observed(tmp_path / "asked.npz", asked, np.ones(40, bool), share, draw),
    )
    output = SimpleNamespace(**{name: tmp_path / name for name in ("records", "json", "page", "card")})
    params = SimpleNamespace(attacks=[["difficulty", ATTACK, "references"]], about=ABOUT, seeds="0")
    compare(inputs, output, params, None)
    found = json.loads((tmp_path / "json").read_text())["flags"]
    assert [flag.startswith("references trained otherwise (right on ") for flag in found] == [True] * flags
