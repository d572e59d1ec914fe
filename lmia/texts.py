"""A column of texts as numbers: the place of each word among all words of the column, and back to the very text.

A text is cut into words and what is between them. One space between two words is not written, as it is where no other
white space stands; so a copy that lacks a word reads as if the word had never been there.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

MOST_PARTS = 2**24 - 1  # distinct ones, that float32 tells apart
PART = re.compile(r"\S+|\s+")


@dataclass(frozen=True)
class Texts:
    """The texts of one column. A missing text is an empty one.

    parts: distinct words and white spaces, in ascending order; counts: ints (k,), how often each occurs in all texts;
    width: parts of the longest text, at least 1.

    Codes of a text are ints (width,): i + 1 for `parts[i]`, and 0 for nothing, after the last part and where a word was
    taken out.
    """

    name: str
    parts: Sequence[str]
    counts: np.ndarray
    width: int
    is_number = False

    @classmethod
    def of(cls, found: pd.Series) -> "Texts":
        """Raises ValueError where a value is no text, no text has a word, or there are too many words."""
        counts, width = Counter(), 0
        for text in _texts(found):
            parts = cut(text)
            counts.update(parts)
            width = max(width, len(parts))
        if not any(map(_is_word, counts)):
            raise ValueError(f"{found.name}: no record has a word; leave it out")
        if len(counts) > MOST_PARTS:
            raise ValueError(
                f"{found.name}: {len(counts):,} different words, and at most {MOST_PARTS:,} can be told apart; leave "
                "it out, or take fewer records"
            )
        parts = sorted(counts)
        return cls(str(found.name), parts, np.array([counts[part] for part in parts], dtype=np.int64), width)

    @property
    def steps(self) -> int:
        """The greatest code."""
        return len(self.parts)

    @cached_property
    def is_word(self) -> np.ndarray:
        """Whether a code is that of a word, bools (1 + k,): neither nothing nor white space."""
        return np.array([False, *map(_is_word, self.parts)])

    @cached_property
    def _codes(self) -> dict[str, int]:
        return {part: code for code, part in enumerate(self.parts, 1)}

    def codes(self, found: pd.Series) -> np.ndarray:
        """Codes of texts, int32 (n, width). Raises ValueError for a word that the column has not."""
        codes = np.zeros((len(found), self.width), dtype=np.int32)
        for row, text in enumerate(_texts(found)):
            parts = cut(text)
            if absent := [part for part in parts if part not in self._codes]:
                raise ValueError(f"{self.name}: expected words that the data has, got {absent[0]!r}")
            if len(parts) > self.width:
                raise ValueError(f"{self.name}: expected texts of at most {self.width} words, got {len(parts)}")
            codes[row, : len(parts)] = [self._codes[part] for part in parts]
        return codes

    def values_at(self, codes: np.ndarray) -> np.ndarray:
        """The texts of codes (n, width), as objects (n,)."""
        values = np.empty(len(codes), dtype=object)
        values[:] = [self._joined(row[row > 0].tolist()) for row in codes]
        return values

    def _joined(self, codes: list[int]) -> str:
        joined, after_word = [], False
        for code in codes:
            is_word = bool(self.is_word[code])
            joined.append(" " * (after_word and is_word) + self.parts[code - 1])
            after_word = is_word
        return "".join(joined)

    def frequencies(self, codes: np.ndarray, most: int) -> np.ndarray:
        """How often each of the `most` commonest words is in texts, and how many words these have, ints (n, m + 1)."""
        words = np.flatnonzero(self.is_word)
        common = words[np.argsort(-self.counts[words - 1], kind="stable")][:most]
        found = [np.append((row[:, None] == common).sum(0), self.is_word[row].sum()) for row in codes]
        return np.array(found)

    def to_arrays(self, place: int) -> dict[str, np.ndarray]:
        """All but the name as named arrays, without objects. place: of the column, for their names."""
        whole = "".join(self.parts).encode(errors="surrogatepass")
        return {
            f"parts_{place}": np.frombuffer(whole, dtype=np.uint8),
            f"lengths_{place}": np.array([len(part) for part in self.parts]),
            f"counts_{place}": self.counts,
            f"width_{place}": np.array(self.width),
        }

    @classmethod
    def from_arrays(cls, name: str, arrays: Any, place: int) -> "Texts | None":
        """What `to_arrays` gave; None where the column at that place has no texts."""
        if f"parts_{place}" not in arrays:
            return None
        whole = arrays[f"parts_{place}"].tobytes().decode(errors="surrogatepass")
        ends = np.cumsum(arrays[f"lengths_{place}"])
        parts = [whole[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]
        return cls(name, parts, arrays[f"counts_{place}"], int(arrays[f"width_{place}"]))


def cut(text: str) -> list[str]:
    """Words of a text, and the white spaces in it but for one space between two words."""
    parts = PART.findall(text)
    last = len(parts) - 1
    return [part for place, part in enumerate(parts) if part != " " or place in (0, last)]


def _is_word(part: str) -> bool:
    return not part.isspace()


def _texts(found: pd.Series) -> Iterable[str]:
    for text, is_missing in zip(found, found.isna(), strict=True):
        if is_missing:
            yield ""
        elif isinstance(text, str):
            yield text
        else:
            raise ValueError(f"{found.name}: expected texts, got {text!r}; take it out of texts")
