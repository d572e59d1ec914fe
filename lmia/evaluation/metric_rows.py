"""Rows of metrics.csv for a block of seeds: of an attack on the targets' points, and of the models themselves."""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from lmia.evaluation import flags
from lmia.evaluation.flag_texts import join, parted
from lmia.evaluation.intervals import evaluate, proportion
from lmia.evaluation.metrics_table import CALLED, OVER_GAP
from lmia.evaluation.paired import decisions, difference
from lmia.evaluation.tpr_names import tpr_name

UNRANKED = (np.nan, np.nan, np.nan)  # scores that only decide have no ROC, and no guess no precision
MODEL_METRICS = ("train_accuracy", "test_accuracy")
AT_CHANCE, MEMORIZED = "at chance", "memorized its members"  # flags of a model
GUARANTEES = ("epsilon", "delta")  # of private training, the same for target and shadows


def on_outliers(guess: np.ndarray, is_member: np.ndarray) -> dict[str, tuple[float, float, float]]:
    """Precision and recall on few points, which no bootstrap resolves: name -> (value, low, high).

    outliers_called is how many are called members, of which the precision is a share, with no interval.

    guess, is_member: bools (n,).
    """
    hits, of = int((guess & is_member).sum()), {"precision": int(guess.sum()), "recall": int(is_member.sum())}
    shares = {f"outlier_{name}": proportion(hits, n) if n else UNRANKED for name, n in of.items()}
    return shares | {CALLED: (float(of["precision"]), np.nan, np.nan)}


def attack_rows(
    scored: dict[str, np.ndarray],
    is_member: np.ndarray,
    is_outlier: np.ndarray | None,
    seeds: Sequence[int],
    fprs: Sequence[float],
    resamples: int,
    gap: dict[str, np.ndarray] | None = None,
) -> Iterator[dict]:
    """One row per seed, setting and metric of an attack on the targets of a block of seeds.

    A true-positive rate that rests on few false alarms has a flag of its own.

    Args:
        scored: arrays of an artifact of scores.
        is_member: bools (s, n), of the points that were scored.
        is_outlier: bools (s, n), None where outliers are of no interest.
        seeds: of the block, and of the bootstraps.
        fprs: false-positive rates, in (0, 1), at which the true-positive rate is reported.
        resamples: of the bootstrap.
        gap: arrays of the gap attack's scores on the same targets, None where the attack is not compared with it.
    """
    few = [{tpr_name(fpr): flags.few_false_alarms(fpr, n) for fpr in fprs} for n in (~is_member).sum(axis=1)]
    by_gap = [] if gap is None else list(decisions(gap, is_member, ""))
    by_attack = {setting: list(decisions(scored, is_member, setting)) for setting in scored["settings"].tolist()}
    for (s, seed), (v, setting) in product(enumerate(seeds), enumerate(scored["settings"])):
        scores, threshold = scored["scores"][s, v], scored["thresholds"][s, v]
        values = evaluate(scores, is_member[s], threshold, fprs, resamples, seed)
        if not scored["can_rank"][s]:
            values |= {name: UNRANKED for name in values if name == "auc" or name.startswith("tpr_at")}
        if by_gap:
            values[OVER_GAP] = difference(by_attack[str(setting)][s], by_gap[s], resamples, seed=seed)
        if is_outlier is not None:
            values |= on_outliers((scores >= threshold)[is_outlier[s]], is_member[s, is_outlier[s]])
        same = {"seed": seed, "queries": scored["queries"][s, v], "setting": setting}
        noted = scored["flags"][s] if "flags" in scored else ""
        flagged = join([flags.attack_flags(scores, threshold, *scored["searches"][s, v]), noted])
        for metric, (value, low, high) in values.items():
            row = {"metric": metric, "value": value, "ci_low": low, "ci_high": high}
            yield same | {"flags": join([flagged, few[s].get(metric, "") if value == value else ""])} | row


def model_rows(
    models: Sequence[dict[str, np.ndarray]], seeds: Sequence[int], sizes: Sequence[Sequence[int]], prefix: str
) -> Iterator[dict]:
    """One row per seed and accuracy of the target, or of the shadows of a seed, which are counted together.

    A model that is at chance on other points has memorized its members where it is more accurate on them, by intervals
    that do not overlap: then it tells them from others, and so does a threshold from it.

    Args:
        models: arrays of artifacts of models, one of the target, or one of each shadow.
        seeds: of the artifacts.
        sizes: of each seed, number of members and of non-members that a model is measured on.
        prefix: of the metrics, "" for the target and "shadow_" for shadows.
    """
    whose = "shadow" if prefix else "target"
    for row, seed in enumerate(seeds):
        flagged = join(f"{whose} {flag}" for model in models for flag in _flags(model, row, sizes[row]))
        for metric, n in zip(MODEL_METRICS, sizes[row], strict=True):
            hits = round(n * sum(model[metric][row] for model in models))
            value, low, high = proportion(hits, n * len(models))
            same = {"seed": seed, "metric": prefix + metric, "flags": flagged}
            yield same | {"value": value, "ci_low": low, "ci_high": high}


def _flags(model: dict[str, np.ndarray], row: int, sizes: Sequence[int]) -> list[str]:
    """The flags of one model of an artifact, by its own accuracies."""
    found = parted(model["flags"][row]) if "flags" in model else []
    shares = [proportion(round(n * model[metric][row]), n) for metric, n in zip(MODEL_METRICS, sizes, strict=True)]
    (_, least, _), (_, _, most) = shares
    return [MEMORIZED if flag == AT_CHANCE and least > most else flag for flag in found]


def guarantee_rows(target: dict[str, np.ndarray], seeds: Sequence[int]) -> Iterator[dict]:
    """One row per seed and number of what the target's training guarantees, none where it guarantees nothing."""
    for metric in [metric for metric in GUARANTEES if metric in target]:
        for seed, value in zip(seeds, target[metric], strict=True):
            yield {"seed": seed, "metric": metric, "value": value, "ci_low": value, "ci_high": value}
