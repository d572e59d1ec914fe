"""Copies of texts: how many words change, to what, and by whose stream."""

import numpy as np
import pandas as pd
import pytest
import torch

from lmia.perturbations.table import Perturbation as TableCopies
from lmia.perturbations.words import Perturbation
from lmia.streams import streams
from lmia.table import Table

DRAW = np.random.default_rng(0)
WORDS = np.array([f"w{n}" for n in range(50)])
N = 200
FRAME = pd.DataFrame(
    {
        "title": [" ".join(DRAW.choice(WORDS[:5], DRAW.integers(0, 4))) for _ in range(N)],
        "stars": DRAW.integers(1, 6, N),
        "review": [" ".join(DRAW.choice(WORDS, DRAW.integers(1, 30), p=np.arange(1, 51) / 1275)) for _ in range(N)],
    }
)
TABLE = Table.of(FRAME, np.arange(N) % 2, texts=["title", "review"])


def copies(share, samples=40, replace=0.5, frame=FRAME, table=TABLE):
    """Data frame of all copies, a block of `samples` rows for each record."""
    inputs = torch.from_numpy(table.encode(frame))
    perturbation = Perturbation([share], samples, table, replace)
    blocks = torch.cat(list(perturbation.blocks(inputs, streams(0, "t", range(len(frame))))), dim=1)
    assert blocks.shape == (len(frame), samples, table.width) and blocks.dtype == torch.float32
    return table.decode(blocks.flatten(0, 1).numpy())


def n_words(texts):
    return texts.str.split().str.len().to_numpy()


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_so_many_words_are_taken_out(share):
    found, before = copies(share, replace=0.0), FRAME.loc[FRAME.index.repeat(40)]
    for name in ("title", "review"):
        assert abs(1 - n_words(found[name]).sum() / n_words(before[name]).sum() - share) < 0.01
    assert (found["stars"].to_numpy() == before["stars"].to_numpy()).all()


def test_so_many_words_are_replaced_by_others_as_often_as_texts_have_them():
    found, before = copies(0.4, replace=1.0), FRAME.loc[FRAME.index.repeat(40)]
    assert (n_words(found["review"]) == n_words(before["review"])).all()
    old, new = (np.array(" ".join(frame["review"]).split()) for frame in (before, found))
    assert abs((old != new).mean() - 0.4) < 0.01
    drawn = pd.Series(new[(old != new) & (old == "w49")]).value_counts(normalize=True)
    texts = pd.Series(" ".join(FRAME["review"]).split()).value_counts().drop("w49")
    assert len(drawn) > 40 and abs(drawn["w48"] - texts["w48"] / texts.sum()) < 0.015
    titles = set(" ".join(found["title"]).split())
    assert titles <= set(WORDS[:5])  # words of its own column


def test_one_word_stays_and_any_of_them_may():
    frame = FRAME[n_words(FRAME["title"]) > 1][:50]
    found = copies(1.0, replace=0.0, frame=frame)
    assert set(n_words(found["title"]) + n_words(found["review"])) == {1}
    first = frame["review"].iloc[0].split() + frame["title"].iloc[0].split()
    assert set((found["title"] + found["review"])[:40]) > {first[0]} and len(first) > 1


def test_white_space_stays_and_a_text_without_words_too():
    frame = pd.DataFrame({"text": ["a\nb  c", " ", ""]})
    table = Table.of(frame, [0, 1, 1], texts=["text"])
    found = copies(0.5, 60, 0.0, frame, table)["text"]
    assert set(found[:60]) == {"a\nb  c", "\nb  c", "a\n  c", "a\nb  ", "\n  c", "\nb  ", "a\n  "}
    assert set(found[60:120]) == {" "} and set(found[120:]) == {""}
    replaced = copies(1.0, 60, 1.0, frame, table)["text"]
    assert replaced[:60].str.fullmatch(r"[bc]\n[ac]  [ab]").all() and set(replaced[60:120]) == {" "}


def test_the_copies_of_a_record_are_its_own():
    """Whoever else is asked, and in whichever blocks they are made."""
    perturbation = Perturbation([0.1, 0.5], 1500, TABLE)
    inputs = torch.from_numpy(TABLE.encode(FRAME[:3]))
    together = torch.cat(list(perturbation.blocks(inputs, streams(0, "t", [5, 6, 7]))), dim=1)
    again = torch.cat(list(perturbation.blocks(inputs[1:2], streams(0, "t", [6]))), dim=1)
    assert torch.equal(together[1:2], again) and perturbation.magnitudes == [0.1] * 1500 + [0.5] * 1500


@pytest.mark.parametrize("options", [{"shares": [0.0]}, {"shares": [1.5]}, {"samples": 0}, {"replace": 1.1}])
def test_numbers_that_make_no_copies_are_refused(options):
    with pytest.raises(ValueError, match=r"^expected shares in \(0, 1\], samples above 0 and replace in \[0, 1\], got"):
        Perturbation(**{"shares": [0.5], "samples": 2, "table": TABLE} | options)


def test_copies_of_columns_leave_texts_alone():
    inputs = torch.from_numpy(TABLE.encode(FRAME))
    blocks = torch.cat(list(TableCopies([1], 10, TABLE).blocks(inputs, streams(0, "t", range(N)))), dim=1)
    found, before = TABLE.decode(blocks.flatten(0, 1).numpy()), FRAME.loc[FRAME.index.repeat(10)]
    for name in ("title", "review"):
        assert found[name].tolist() == before[name].tolist()
    assert (found["stars"].to_numpy() != before["stars"].to_numpy()).all()


def test_each_kind_of_copies_needs_its_kind_of_columns():
    only = Table.of(FRAME[["review"]], np.arange(N) % 2, texts=["review"])
    with pytest.raises(ValueError, match="^expected records with other columns than texts, got none; use kind words"):
        TableCopies([1], 2, only)
    with pytest.raises(ValueError, match="^expected records with texts, got none; use kind table"):
        Perturbation([0.1], 2, Table.of(FRAME[["stars"]], np.arange(N) % 2))
