"""What a reader must know before believing a number: flags of models and attacks that failed, or have nothing to say.

A cell of the column `flags` is one text, of any number of them. Models are flagged in training
(`lmia.training.model_flag`); here flags reach the attacks on these models, and the rows over seeds.
"""

from collections import Counter

import numpy as np

BETWEEN = "; "


def attack_flags(scores, threshold):
    """Why an attack's decisions on one target say little, "" where nothing speaks against them.

    scores: floats (n,), higher = more member-like; threshold: members have score >= it.

    "all searches censored": no other label was found around any point, so scores tell right labels from wrong ones and
    no more. "constant guess": all points are called the same, which makes the accuracy 50 % whatever they are.
    """
    scores = np.asarray(scores, float)
    guess, found = scores >= threshold, np.isfinite(scores) & (scores != 0)
    censored = np.isinf(scores).any() and not found.any()
    return join(["all searches censored"] * bool(censored) + ["constant guess"] * bool(guess.all() or not guess.any()))


def join(texts):
    """Several texts as one, with each flag once."""
    return BETWEEN.join(dict.fromkeys(flag for text in texts for flag in _split(text)))


def over_seeds(texts):
    """The texts of several seeds as one, with the number of seeds that have each flag: "target diverged (1 of 6)"."""
    if len(texts) == 1:
        return texts[0]
    counts = Counter(flag for text in texts for flag in _split(text))
    return BETWEEN.join(f"{flag} ({count} of {len(texts)})" for flag, count in counts.items())


def with_models_flags(table, run):
    """The table of `lmia.tables`, with the flags of models also on the rows of all attacks on them.

    run: columns that, with the seed, say which models a row is of.
    """
    of_models = table[table["attack"].eq("") & table["flags"].ne("")].groupby([*run, "seed"])["flags"].agg(join)
    rows = zip(table[[*run, "seed"]].itertuples(index=False, name=None), table["attack"], table["flags"], strict=True)
    return table.assign(flags=[join([of_models.get(key, ""), own]) if attack else own for key, attack, own in rows])


def _split(text):
    return text.split(BETWEEN) if text else []
