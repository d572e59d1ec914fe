"""Records in question that differ without the model are flagged on the page that has a verdict, too."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lmia import artifacts
from workflow.scripts import write_audit


@pytest.mark.parametrize(("shift", "start"), [(0.0, []), (0.3, ["another", "records in question and known others"])])
def test_records_in_question_that_differ_from_known_others_are_flagged(shift, start, tmp_path, monkeypatch):
    draw = np.random.default_rng(0)
    known, asked, of_members = np.arange(400), np.arange(400, 500), np.arange(0, 400, 2)
    inputs = draw.random((500, 4)).astype(np.float32)
    inputs[asked] += shift
    inputs[of_members] += 5 * shift  # members differ from both, which other flags are of
    for name, kind, ids in (("known", "scores", known), ("asked", "scores_in_question", asked)):
        arrays = {"scores": np.zeros((1, 1, len(ids))), "thresholds": np.zeros((1, 1, len(ids)))}
        artifacts.save(tmp_path / name, kind, arrays | {"example_ids": ids[None]}, {})
    artifacts.save(tmp_path / "dataset", "dataset", {"inputs": inputs, "classes": np.zeros(500, int)}, {})
    artifacts.save(tmp_path / "split", "split", {"members": of_members[None]}, {})
    written = []
    monkeypatch.setattr(write_audit, "read_metrics", lambda path: None)
    monkeypatch.setattr(write_audit, "report", lambda *_: ({"flags": ["another"]}, pd.DataFrame()))
    monkeypatch.setattr(write_audit.files, "write", lambda output, whole, *_: written.append(whole))
    write_audit.write(
        scores=[tmp_path / "known"],
        in_question=[tmp_path / "asked"],
        split=tmp_path / "split",
        table="",
        dataset=tmp_path / "dataset",
        alternatives=[],
        output=SimpleNamespace(),
        attacks=["gap"],
        about={},
        seeds=[0],
        columns=None,
        naming=None,
    )
    (whole,) = written
    flags = start or ["another"]
    assert len(whole["flags"]) == len(flags)
    assert all(flag.startswith(text) for flag, text in zip(whole["flags"], flags, strict=True))
