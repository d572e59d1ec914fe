"""Which decisions are flagged, by hand."""

import numpy as np
import pytest

from lmia.flags import attack_flags, join, over_seeds


@pytest.mark.parametrize(
    "scores, threshold, flags",
    [
        ([0.1, 0.9], 0.5, ""),
        ([0.1, 0.2], 0.5, "constant guess"),
        ([0.1, 0.2], 0.1, "constant guess"),
        ([0.1, 0.2], -np.inf, "constant guess"),
        ([0, np.inf, np.inf], 0.5, "all searches censored"),
        ([0, 0.3, np.inf], 0.2, ""),  # one was found
        ([np.inf, np.inf], np.inf, "all searches censored; constant guess"),
        ([0, 0], 0.5, "constant guess"),  # all misclassified: none was searched
    ],
)
def test_attacks_that_have_nothing_to_say(scores, threshold, flags):
    assert attack_flags(scores, threshold) == flags


def test_texts_are_joined_with_each_flag_once():
    assert join(["a; b", "", "b", "c"]) == "a; b; c" and join(["", ""]) == ""


def test_over_seeds_flags_are_counted():
    assert over_seeds(["b; a", "", "a"]) == "b (1 of 3); a (2 of 3)"
    assert over_seeds(["a"]) == "a" and over_seeds(["", ""]) == ""
