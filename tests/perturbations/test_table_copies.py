"""Copies of records: how many columns change, to what, and by whose stream."""

import numpy as np
import pandas as pd
import pytest
import torch

from lmia.perturbations.table import Perturbation
from lmia.streams import streams
from lmia.table import Table

N = 4000
DRAW = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "age": DRAW.integers(0, 100, N),
        "town": DRAW.choice(["Ayr", "Bath", "Ely"], N, p=[0.7, 0.2, 0.1]),
        "zip": DRAW.choice([1, 5, 900], N),
        "income": np.where(np.arange(N) < 400, np.nan, DRAW.normal(0, 10, N).round(1)),
    }
)
TABLE = Table.of(FRAME, pd.Series(np.arange(N) % 2), ["zip"])


def copies(changes, samples=50, frame=FRAME[:200], move=0.25, name="t"):
    """Data frame of all copies, a block of `samples` rows for each record."""
    inputs = torch.from_numpy(TABLE.encode(frame))
    perturbation = Perturbation([changes], samples, TABLE, move)
    blocks = torch.cat(list(perturbation.blocks(inputs, streams(0, name, range(len(frame))))), dim=1)
    assert blocks.shape == (len(frame), samples, 4) and blocks.dtype == torch.float32
    return TABLE.decode(blocks.flatten(0, 1).numpy())


def test_more_changes_than_columns_are_left_out():
    assert Perturbation([1, 5, 4], 2, TABLE).magnitudes == [1, 1, 4, 4]
    with pytest.raises(ValueError, match="expected changes of at most 4 columns, got"):
        Perturbation([5, 6], 2, TABLE)


def repeated(frame=FRAME[:200], samples=50):
    return frame.loc[frame.index.repeat(samples)].reset_index(drop=True)


def test_numbers_move_by_a_share_of_their_spread_and_missing_ones_become_any():
    found, before = copies(4), repeated()
    assert found["age"].isin(FRAME["age"]).all()
    inner = before["age"].between(40, 60)
    moved = (found["age"] - before["age"])[inner]
    assert abs(moved.mean()) < 0.5 and abs(moved.std() / (0.25 * FRAME["age"].std()) - 1) < 0.05
    assert (moved != 0).all()
    assert found["income"].notna().all()  # all of these rows had none


@pytest.mark.parametrize("changes", [1, 2])
@pytest.mark.parametrize("n_values", [2, 3, 10**6])
@pytest.mark.parametrize("are_codes", [False, True])
def test_so_many_columns_have_another_value(changes, n_values, are_codes):
    names = [f"c{n}" for n in range(10)]
    wide = pd.DataFrame({name: DRAW.integers(0, n_values, N) for name in names})
    table = Table.of(wide, np.arange(N) % 2, names if are_codes else ())
    inputs = torch.from_numpy(table.encode(wide[:300]))
    perturbation = Perturbation([changes], 40, table)
    blocks = torch.cat(list(perturbation.blocks(inputs, streams(0, "t", range(300)))), dim=1)
    assert abs((blocks != inputs[:, None]).sum(2).float().mean().item() - changes) < 0.05


def test_other_texts_come_as_often_as_records_have_them():
    frame = FRAME[FRAME["town"].eq("Bath")][:200]
    found = copies(4, frame=frame)["town"]
    shares = found.value_counts(normalize=True)
    assert "Bath" not in shares and abs(shares["Ayr"] - 0.7 / 0.8) < 0.02 and abs(shares["Ely"] - 0.1 / 0.8) < 0.02


@pytest.mark.parametrize("options", [{"changes": [0]}, {"samples": 0}, {"move": -1.0}])
def test_numbers_that_make_no_copies_are_refused(options):
    with pytest.raises(ValueError, match="^expected changes, samples and move above 0, got"):
        Perturbation(**{"changes": [1], "samples": 2, "table": TABLE} | options)


def test_the_copies_of_a_record_are_its_own():
    """Whoever else is asked, and in whichever blocks they are made."""
    alone = Perturbation([1, 2], 3000, TABLE)
    inputs = torch.from_numpy(TABLE.encode(FRAME[:3]))
    together = torch.cat(list(alone.blocks(inputs, streams(0, "t", [5, 6, 7]))), dim=1)
    again = torch.cat(list(alone.blocks(inputs[1:2], streams(0, "t", [6]))), dim=1)
    assert torch.equal(together[1:2], again) and alone.magnitudes == [1.0] * 3000 + [2.0] * 3000
    assert not torch.equal(together[0], together[1])


def test_a_column_of_one_value_keeps_it():
    table = Table.of(pd.DataFrame({"a": [3, 3], "b": [1, 2]}), pd.Series([0, 1]))
    inputs = torch.from_numpy(table.encode(pd.DataFrame({"a": [3], "b": [1]})))
    (block,) = Perturbation([2], 20, table).blocks(inputs, streams(0, "t", [0]))
    assert table.decode(block[0].numpy())["a"].tolist() == [3] * 20
    table = Table.of(pd.DataFrame({"a": [3, None]}), [0, 1])  # or none
    (block,) = Perturbation([1], 20, table).blocks(torch.zeros(1, 1), streams(0, "t", [0]))
    assert table.decode(block[0].numpy())["a"].isna().all()
