"""Texts come back as they were, whatever is in them, and lose words as if these had never been there."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmia import texts
from lmia.table import Table
from lmia.texts import Texts

PIECES = st.sampled_from(["a", "good", "film", "\0", "0", "NA", "\ud800", "é", " ", "  ", "\n", "\t", "\u3000", "\x1c"])
TEXTS = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=20)


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=6).filter(lambda found: any(text.strip() for text in found)))
def test_texts_come_back_letter_by_letter(found):
    frame = pd.DataFrame({"review": pd.Series(found, dtype=object), "stars": range(len(found))})
    table = Table.of(frame, ["a"] * len(frame), texts=["review"])
    inputs = table.encode(frame)
    assert inputs.dtype == np.float32 and inputs.shape == (len(frame), table.width) and (inputs >= 0).all()
    for known in (table, Table.from_arrays(table.to_arrays())):
        back = known.decode(inputs)
        assert back["review"].tolist() == found and back["stars"].tolist() == frame["stars"].tolist()


def test_a_text_takes_as_many_numbers_as_the_longest_has_words():
    column = Texts.of(pd.Series(["so so bad", "bad", None, "", "bad\nfilm "]))
    assert column.width == 4 and column.counts.tolist() == [1, 1, 3, 1, 2]
    assert column.parts == ["\n", " ", "bad", "film", "so"] and column.is_word.tolist() == [0, 0, 0, 1, 1, 1]
    codes = column.codes(pd.Series(["so bad", np.nan, "bad\nfilm "]))
    assert codes.tolist() == [[5, 3, 0, 0], [0] * 4, [3, 1, 4, 2]]
    assert column.values_at(codes).tolist() == ["so bad", "", "bad\nfilm "]


def test_a_word_that_is_taken_out_leaves_no_gap():
    column = Texts.of(pd.Series(["a b c", "a"]))
    assert column.values_at(np.array([[1, 0, 3], [0, 2, 0], [0, 0, 0]])).tolist() == ["a c", "b", ""]


def test_many_words_come_back():
    words = [f"w{n}" for n in np.random.default_rng(0).permutation(200_000)]
    frame = pd.DataFrame({"text": [" ".join(words[start : start + 100]) for start in range(0, len(words), 100)]})
    table = Table.of(frame, [0, 1] * 1000, texts=["text"])
    assert (table.decode(table.encode(frame))["text"] == frame["text"]).all()


def test_mistakes_in_texts_are_named(monkeypatch):
    with pytest.raises(ValueError, match="^review: no record has a word; leave it out$"):
        Texts.of(pd.Series([" ", None], name="review"))
    with pytest.raises(ValueError, match="^review: expected texts, got 3; take it out of texts$"):
        Texts.of(pd.Series(["good", 3], name="review"))
    column = Texts.of(pd.Series(["good film"], name="review"))
    with pytest.raises(ValueError, match="^review: expected words that the data has, got 'bad'$"):
        column.codes(pd.Series(["bad"]))
    with pytest.raises(ValueError, match="^review: expected texts of at most 2 words, got 3$"):
        column.codes(pd.Series(["good good film"]))
    monkeypatch.setattr(texts, "MOST_PARTS", 2)
    with pytest.raises(ValueError, match="^review: 3 different words, and at most 2 can be told apart; leave it out"):
        Texts.of(pd.Series(["a b c"], name="review"))


def test_features_count_the_commonest_words():
    frame = pd.DataFrame({"review": ["b a b", "c", "b"], "stars": [3, 1, 2]})
    table = Table.of(frame, [0, 1, 1], texts=["review"])
    found = table.features(table.encode(frame))
    assert found.tolist() == [[1, 2, 1, 0, 3], [0, 0, 0, 1, 1], [0.5, 1, 0, 0, 1]]  # stars; b, a, c; words
    plain = Table.of(frame[["stars"]], [0, 1, 1])
    inputs = plain.encode(frame)
    assert plain.features(inputs) is inputs
