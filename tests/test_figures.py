"""What figures say of themselves."""

import numpy as np
import pytest

from lmia.figures import histogram, roc, style

SETTINGS = {"title": "Mine", "attacks": ["boundary"]}


def scored(n_seeds):
    one = np.array([0, 0.5, np.inf, 0, 0.2, 0.3]), np.array([True, True, True, False, False, False])
    return {"boundary": [one] * n_seeds}


@pytest.mark.parametrize("n_seeds", [1, 3])
@pytest.mark.parametrize("module, said", [(histogram, "3 seeds pooled"), (roc, "mean of 3 seeds")])
def test_titles_stay_and_what_is_joined_over_seeds_is_said(module, said, n_seeds):
    (ax,) = module.plot(scored(n_seeds), SETTINGS).axes
    assert ax.get_title(loc="left") == "Mine"
    assert (said in ax.get_xlabel() + ax.get_ylabel()) == (n_seeds == 3)


def test_a_histogram_counts_what_its_bars_do_not_show():
    (ax,) = histogram.plot(scored(1), SETTINGS).axes
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["members, 33 % at 0, 1 censored", "non-members, 33 % at 0"]


def test_every_attack_of_the_default_study_has_a_colour_of_its_own():
    assert len(set(style.COLOURS.values())) == len(style.COLOURS)
    assert style.line("bernoulli", 1) != style.line("gaussian", 1)
