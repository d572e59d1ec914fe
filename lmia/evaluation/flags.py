"""What a reader must know before believing a number: flags of models and attacks that failed, or have nothing to say.

A cell of the column `flags` is one text, of any number of them. Models are flagged in training
(`lmia.training.loop.model_flag`); here flags reach the attacks on these models, and the rows over seeds.
"""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import special

from lmia.evaluation.flag_texts import BETWEEN, join, parted

OTHERWISE = 0.0027  # as three standard errors of a normal number
FEWEST_REFERENCES = 4  # fewer hardly tell how much models of one training differ
MAX_CENSORED = 0.1  # of the searches, without a flag
MIN_FALSE_ALARMS = 10  # fewer of them do not tell one rate from another
CONSTANT = "constant guess"
FEW = re.compile(r"\d+ false alarms allowed")
TIED = re.compile(r"(\d+) (tied at the (?:top|threshold))")
OF_RATES = re.compile(rf"{FEW.pattern}|{TIED.pattern}")
CENSORED = re.compile(r"(\d+) of (\d+) searches censored")


def attack_flags(scores: np.ndarray, threshold: float | np.ndarray, n_censored: int = 0, n_searches: int = 0) -> str:
    """Why an attack's decisions on one target say little, "" where nothing speaks against them.

    scores: floats (n,), higher = more member-like; threshold: members have score >= it, floats (n,) where each has its
    own; n_censored, n_searches: of the searches that the scores rest on (misclassified points need none), how many
    found no other label, and how many there were.

    "9 of 10 searches censored", where more than MAX_CENSORED of them are: around these points the scores tell right
    labels from wrong ones, and no more. "constant guess": all points are called the same, which makes the accuracy 50 %
    whatever they are.
    """
    guess = np.asarray(scores, float) >= threshold
    censored = [f"{n_censored} of {n_searches} searches censored"] if n_censored > MAX_CENSORED * n_searches else []
    return join(censored + [CONSTANT] * bool(guess.all() or not guess.any()))


def few_false_alarms(fpr: float, n_nonmembers: int) -> str:
    """What to say of a rate that lets fewer than MIN_FALSE_ALARMS through, as "8 false alarms allowed", else "".

    A true-positive rate at such a rate lies too high, and its interval covers less than it says.
    """
    allowed = allowed_false_alarms(fpr, n_nonmembers)
    return f"{allowed} false alarms allowed" if allowed < MIN_FALSE_ALARMS else ""


def allowed_false_alarms(fpr: float, n_nonmembers: int) -> int:
    """How many non-members a rate lets through: 3 of 10,000 at 0.0003, whose float product lies below 3."""
    return int(fpr * n_nonmembers + 1e-9)


def rate_flags(scores: np.ndarray, is_member: np.ndarray, fpr: float) -> str:
    """What speaks against a true-positive rate at a false-positive rate, "" for nothing.

    scores: floats, higher = more member-like; is_member: bools of the same shape.

    "N tied at the top": so many scores are the highest that no threshold has so few false alarms, and a rate of 0 says
    nothing of the attack. "N tied at the threshold": so many scores are the next below the threshold, and less than
    half of the false alarms are used that the rate allows. "N false alarms allowed": see `few_false_alarms`.
    """
    n_others = int(np.sum(~is_member))
    allowed = fpr * n_others
    if allowed < 1:  # the rate is not resolvable
        return ""
    _, group = np.unique(-scores, return_inverse=True)
    sizes, false = np.bincount(group.ravel()), np.bincount(group.ravel(), weights=~is_member.ravel()).cumsum()
    n_called = int(np.sum(false / n_others <= fpr))  # groups of equal scores, from the highest
    used = false[n_called - 1] if n_called else 0
    texts = []
    if used < allowed / 2 and sizes[n_called] > 1:
        if not n_called:
            return f"{sizes[0]} tied at the top"
        texts.append(f"{sizes[n_called]} tied at the threshold")
    return join([*texts, few_false_alarms(fpr, n_others)])


def without_rates(text: str) -> str:
    """The flags of a text but those of `rate_flags`, which speak of the scores of one model alone."""
    return BETWEEN.join(flag for flag in parted(text) if not OF_RATES.fullmatch(flag))


def references_flag(right: np.ndarray, are_right: np.ndarray, is_in: np.ndarray, is_member: np.ndarray) -> str:
    """Whether references were trained otherwise than the model that they are compared with, "" where nothing says so.

    right: bools (n,), of the model; are_right: bools (n, r), of r references; is_in: bools (n, r), whether a reference
    was trained on the record; is_member: bools (n,), whether the model was.

    "references trained otherwise": on records that they were trained on, or on others, they are right more or less
    often than the model is on those of these that it was trained on, or was not, and less than OTHERWISE of models like
    them would be by chance. It is a test of Student's with the degrees of freedom of Welch and Satterthwaite: the model
    and each reference are drawn from models that spread, and are asked about the same records. Of fewer than
    FEWEST_REFERENCES it says nothing; where nothing varies, any difference is one.
    """
    said = []
    for kind, whose in ((True, "their own records"), (False, "others")):
        told = is_in == kind
        rows = (is_member == kind) & told.any(axis=1)
        if rows.sum() < 2 or told[rows].any(axis=0).sum() < FEWEST_REFERENCES:
            continue
        shares = (are_right & told)[rows].sum(axis=1) / told[rows].sum(axis=1)
        apart = right[rows] - shares
        n, r = told[rows].shape
        each = [are_right[rows, one][told[rows, one]].mean() for one in range(r) if told[rows, one].any()]
        of_records, of_models = apart.var(ddof=1) / n, (1 + 1 / r) * np.var(each, ddof=1)
        limit = 0.0
        if variance := of_records + of_models:
            freedom = variance**2 / (of_records**2 / (n - 1) + of_models**2 / (r - 1))
            limit = -special.stdtrit(freedom, OTHERWISE / 2) * np.sqrt(variance)
        if abs(apart.mean()) > limit:
            own = 100 * right[rows].mean()
            said.append(f"right on {100 * shares.mean():.1f} % of {whose}, the model on {own:.1f} %")
    return f"references trained otherwise ({', '.join(said)})" if said else ""


def over_seeds(texts: Sequence[str]) -> str:
    """The texts of several seeds as one, with the number of seeds that have each flag: "target diverged (1 of 6)".

    Censored searches are counted together: "3 of 10" and "5 of 10" are "8 of 20 searches censored (2 of 6)". Of ties
    there are the fewest and the most: "9 to 12 tied at the top (2 of 6)".
    """
    if len(texts) == 1:
        return texts[0]
    flags = [flag for text in texts for flag in parted(text)]
    censored = [list(map(int, found.groups())) for flag in flags if (found := CENSORED.fullmatch(flag))]
    tied: dict[str, set[int]] = {}
    for found in filter(None, map(TIED.fullmatch, flags)):
        tied.setdefault(found[2], set()).add(int(found[1]))

    def together(flag: str) -> str:
        if CENSORED.fullmatch(flag):
            return "{} of {} searches censored".format(*np.sum(censored, axis=0))
        if found := TIED.fullmatch(flag):
            return f"{' to '.join(map(str, sorted({min(tied[found[2]]), max(tied[found[2]])})))} {found[2]}"
        return flag

    counts = Counter(flag for text in texts for flag in dict.fromkeys(map(together, parted(text))))
    return BETWEEN.join(f"{flag} ({count} of {len(texts)})" for flag, count in counts.items())


def with_models_flags(table: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """The table of `lmia.evaluation.metrics_table`, with the flags of models also on the rows of all attacks on them.

    key: columns that, with the seed, say which models a row is of.
    """
    of_models = (
        table[table["attack"].eq("") & table["flags"].ne("")].groupby([*key, "seed"])["flags"].agg(join).to_dict()
    )
    rows = zip(table[[*key, "seed"]].itertuples(index=False, name=None), table["attack"], table["flags"], strict=True)
    return table.assign(flags=[join([of_models.get(of, ""), own]) if attack else own for of, attack, own in rows])
