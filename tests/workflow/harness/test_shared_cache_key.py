"""What a shared result depends on: no names, no paths, and all else."""

from pathlib import Path

import numpy as np
import pytest
import torch

from lmia import artifacts
from tests.workflow.harness.made_results import made
from workflow.harness import result_records, shared_cache_key

pytestmark = pytest.mark.usefixtures("folder")

PARAMS = {
    "training": {"patience": 20},
    "evaluated": None,
    "seeds": "0-1",
    "code": ["workflow/scripts/train_model.py@12"],
}
INPUTS = {"dataset": ["data.npz"], "split": ["split.npz"]}


def record(params=None, inputs=None):
    files = INPUTS | (inputs or {})
    states = {name: [result_records.state(file) for file in paths] for name, paths in files.items()}
    return result_records.record_of(PARAMS | (params or {}), states)


def test_names_and_paths_are_no_part_of_the_key_and_all_else_is(monkeypatch):
    made("data.npz"), made("split.npz", 2.0)
    Path("elsewhere").mkdir()
    made("elsewhere/data.npz"), made("other.npz", 3.0)

    def key(threads=1, device="cpu", **changes):
        return shared_cache_key.dependencies(record(**changes), threads, torch.device(device))

    one = key()
    assert key(inputs={"dataset": ["elsewhere/data.npz"]}) == one
    assert key(params={"code": ["moved/train_model.py@12"]}) == one
    assert key(params=dict(reversed(PARAMS.items()))) == one
    others = [
        key(params={"training": {"patience": 21}}),
        key(params={"evaluated": 10}),
        key(params={"evaluated": "0-1", "seeds": None}),  # their values swapped
        key(params={"code": ["workflow/scripts/train_model.py@13"]}),
        key(params={"seeds": "0-2"}),
        key(inputs={"split": ["other.npz"]}),
        key(inputs={"dataset": ["split.npz"], "split": ["data.npz"]}),
        key(inputs={"source": ["other.npz"]}),
        key(threads=2),
        key(device="mps"),
    ]
    monkeypatch.setattr(shared_cache_key.importlib.metadata, "version", lambda package: "0")
    others.append(key())
    for module, name, value in (
        (torch.version, "cuda", "13.9"),
        (torch.backends.cudnn, "version", lambda: 99999),
        (torch.__config__, "show", lambda: "another BLAS"),
        (shared_cache_key.platform, "python_version_tuple", lambda: ("3", "99", "1")),
    ):
        monkeypatch.setattr(module, name, value)
        others.append(key())
    assert len({one, *others}) == len(others) + 1


def test_what_is_read_of_an_input_beside_its_arrays_counts_too():
    """Its unit, or the precision that was asked in."""
    arrays = {"labels": np.zeros(3, int)}
    for name, unit in (("data.npz", "degrees"), ("other.npz", "pixels")):
        artifacts.save(name, "answers", arrays, {"unit": unit})
    made("split.npz")
    assert record()["key"] != record(inputs={"dataset": ["other.npz"]})["key"]
