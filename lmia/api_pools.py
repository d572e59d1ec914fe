"""Pools in a notebook: train complementary pairs of models, ask all of them the same, and calibrate every example.

`import lmia` offers these names beside those of `lmia.api`.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from lmia import api, api_checks, splits
from lmia.api_observations import as_observed
from lmia.api_options import WHOLE, check_option
from lmia.attacks.scoring import run_attack
from lmia.calibration.pools import MIN_MODELS, leave_one_out
from lmia.evaluation import pooled
from lmia.evaluation.flag_texts import join
from lmia.evaluation.flags import rate_flags

CALIBRATIONS = ("lira", "difference", "logistic", "rmia", "attack_p", "attack_r")


def draw_pool(n: int, n_models: int, *, seed: int = 0) -> np.ndarray:
    """Which of n points each model of a pool is to be trained on, bools (n_models, n).

    Models 0 and 1 are a pair, 2 and 3 the next, and so on: a fair coin puts each point into the training set of one of
    the two. More models include fewer: a pool can grow by pairs.

    Args:
        n: number of points.
        n_models: even, at least 6.
        seed: of the coins, int >= 0.

    Raises ValueError for other numbers.
    """
    api_checks.check_seed(seed)
    for name, number in {"n": n, "n_models": n_models}.items():
        check_option(name, number, WHOLE)
    _check_models(n_models)
    if n < 2:
        raise ValueError(f"n: expected at least 2 points, got {n}")
    return splits.draw_pool(range(n_models), n, seed)


def attack_pool(
    kind: str,
    observed: Sequence[api.Observations],
    is_member: npt.ArrayLike,
    *,
    shadows: int | None = None,
    **options,
) -> np.ndarray:
    """Membership scores of all points under every model as the target, floats (K, n), higher = more member-like.

    Each target is judged by the other models but its partner. Neither its own membership nor anything of its partner
    comes in.

    Args:
        kind: "lira", "difference", "logistic", "rmia", "attack_p" or "attack_r", which calibrate each example; or a
            kind of `lmia.attack`, which takes the points of all shadows together; or the dotted path of a module of
            your own, with either. The last three read confidences alone.
        observed: what each of the K models answered, all to the same queries about the same n points. Random queries
            are the same where they were asked with one seed.
        is_member: who was trained on what, bools (K, n), as `draw_pool` gives them.
        shadows: how many shadows each target has, even; None for all; at least 4 where a rule needs a variance, as
            lira and attack_r.
        options: those of the attack.

    Raises ValueError where the models are no pairs, or were not asked alike, or a variance has too few shadows.
    """
    is_member = _as_pool(is_member)
    most = len(is_member) - 2
    if shadows is not None:
        check_option("shadows", shadows, WHOLE)
    if shadows is not None and (shadows % 2 or not 0 < shadows <= most):
        raise ValueError(f"shadows: expected an even number up to {most}, got {shadows}")
    if len(observed) != len(is_member):
        raise ValueError(f"observed: expected answers of each of {len(is_member)} models, got {len(observed)}")
    calibrates = kind in CALIBRATIONS or ("." in kind and hasattr(api_checks.load("calibration", kind), "Calibration"))
    of = ("calibration", "Calibration") if calibrates else ("attacks", "Attack")
    make = partial(api_checks.build, *of, (*CALIBRATIONS, *api.ATTACKS), kind, options)
    rule = make()
    api_checks.check_reads("observed", kind, rule.reads, observed[0])
    observed = [as_observed("observed", of_model) for of_model in observed]
    for number, of_model in enumerate(observed):
        api_checks.check_alike(observed[0], of_model)
        if len(of_model.classes) != is_member.shape[1]:
            raise ValueError(
                f"observed: expected answers about {is_member.shape[1]} points, got {len(of_model.classes)}"
            )
        if not np.array_equal(of_model.classes, observed[0].classes):
            raise ValueError(
                f"observed: expected the same points in the same order, got other classes of model {number} than of 0"
            )
    if calibrates:
        return leave_one_out(rule.score, observed, is_member, shadows)

    def plain(target: api.Observations, others: list[api.Observations], known: np.ndarray) -> np.ndarray:
        return run_attack(make, target, others, list(known))[0].scores

    return leave_one_out(plain, observed, is_member, shadows)


def evaluate_pool(
    scores: npt.ArrayLike,
    is_member: npt.ArrayLike,
    *,
    against: npt.ArrayLike | None = None,
    fprs: Sequence[float] = (0.01, 0.001),
    n_resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """How well scores tell members from non-members over all models of a pool: one row per metric.

    Args:
        scores: floats (K, n), as `attack_pool` gives them.
        is_member: the truth, bools (K, n).
        against: scores of another attack on the same pool: then the rows are the differences between the two.
        fprs: false-positive rates at which the true-positive rate is reported, fractions.
        n_resamples: of the bootstrap over pairs of models and over points.
        seed: of the bootstrap, int >= 0.

    Returns columns `value`, `ci_low` and `ci_high`, fractions, and `flags`, which says where so many scores are tied
    that no threshold has about as few false alarms. Rows are auc and tpr_at_F_fpr for each rate F, empty (NaN) where
    there are fewer than 1 / F pairs of a model and a non-member.

    Raises ValueError where shapes or models do not fit.
    """
    api_checks.check_seed(seed)
    api_checks.check_fprs(fprs)
    api_checks.check_resamples(n_resamples)
    is_member = _as_pool(is_member)
    scores = _as_scores("scores", scores, is_member.shape)
    found = pooled.measure(scores, is_member, fprs, n_resamples, seed)
    intervals = {name: measured.interval() for name, measured in found.items()}
    flags = [rate_flags(scores, is_member, fpr) for fpr in fprs]
    if against is not None:
        against = _as_scores("against", against, is_member.shape)
        others = pooled.measure(against, is_member, fprs, n_resamples, seed)
        flags = [join([own, rate_flags(against, is_member, fpr)]) for own, fpr in zip(flags, fprs, strict=True)]
        intervals = {name: pooled.difference(found[name], others[name]) for name in found}
    table = pd.DataFrame.from_dict(intervals, orient="index", columns=["value", "ci_low", "ci_high"])
    table = table.clip(0 if against is None else -1, 1)  # few pairs stretch their draws beyond all rates
    table["flags"] = ["", *flags]
    return table.rename_axis("metric")


def _check_models(n_models: int) -> None:
    if n_models < MIN_MODELS or n_models % 2:
        raise ValueError(f"n_models: expected an even number from {MIN_MODELS}, got {n_models}")


def _as_pool(is_member: npt.ArrayLike) -> np.ndarray:
    is_member = np.asarray(is_member)
    if is_member.ndim != 2 or is_member.dtype != bool:
        raise ValueError(f"is_member: expected bools of shape (K, n), got {is_member.dtype} of shape {is_member.shape}")
    _check_models(len(is_member))
    if (is_member[::2] == is_member[1::2]).any():
        raise ValueError(
            "is_member: expected models 2p and 2p + 1 to be trained on opposite points; see lmia.draw_pool"
        )
    return is_member


def _as_scores(name: str, scores: npt.ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    scores = np.asarray(scores, dtype=float)
    if scores.shape != shape:
        raise ValueError(f"{name}: expected numbers of shape {shape}, got shape {scores.shape}")
    if np.isnan(scores).any():
        raise ValueError(
            f"{name}: expected numbers, got nan, first under model {int(np.isnan(scores).any(1).argmax())}"
        )
    return scores
