"""How sure a metric is: bootstrap and exact intervals over examples, and bootstrap intervals over seeds."""

import numpy as np
from scipy import special  # scipy.stats takes 0.7 s to import, in hundreds of jobs

from lmia.evaluation.metrics import at_threshold, auc, tpr_at_fpr
from lmia.streams import stream

LEVEL = 0.95
FEW = 6  # seeds


def evaluate(scores, is_member, threshold, fprs, n_resamples, seed=0):
    """All metrics of one attack on one target: name -> (value, low, high), fractions; NaN = not resolvable.

    scores: floats (n,); is_member: bool (n,); threshold: shadow-tuned, members have score >= it; fprs: false-positive
    rates at which the true-positive rate is reported; n_resamples: bootstrap draws of members and non-members, each
    among themselves; intervals hold the middle 95 % of them. Proportions of 0 and 1, which no resampling moves, get
    exact intervals instead.
    """
    scores, is_member = np.asarray(scores, float), np.asarray(is_member, bool)
    values = at_threshold(scores, is_member, threshold) | {"auc": auc(scores, is_member)}
    values |= {f"tpr_at_{fpr:g}_fpr": tpr_at_fpr(scores, is_member, fpr) for fpr in fprs}
    draws = _bootstrap(scores, is_member, threshold, fprs, n_resamples, seed)
    found = {name: (value, *_percentiles(draws[name], value)) for name, value in values.items()}
    of = dict.fromkeys(found, int(is_member.sum())) | {"precision": int((scores >= threshold).sum())}
    for name in found.keys() - {"accuracy", "f1", "auc"}:
        if found[name][0] in (0, 1):
            found[name] = proportion(round(found[name][0] * of[name]), of[name])
    return found


def proportion(hits, n):
    """Share of `hits` in n independent trials with its Clopper-Pearson interval: (value, low, high), fractions."""
    tail = (1 - LEVEL) / 2
    low = special.betaincinv(hits, n - hits + 1, tail) if hits else 0.0
    high = special.betaincinv(hits + 1, n - hits, 1 - tail) if hits < n else 1.0
    return hits / n, float(low), float(high)


def _percentiles(draws, value):
    if np.isnan(value) or np.isnan(draws).all():
        return float("nan"), float("nan")
    low, high = np.nanquantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _bootstrap(scores, is_member, threshold, fprs, n_resamples, seed):
    """The metrics of resampled data, name -> (n_resamples,), through counts of each distinct score."""
    thresholds, group = np.unique(-np.asarray(scores, float), return_inverse=True)
    rng = stream(seed, "bootstrap over examples")
    tpr, fpr, n = {}, {}, {}
    for kind, rates in ((True, tpr), (False, fpr)):
        counts = np.bincount(group[is_member == kind], minlength=len(thresholds))
        n[kind] = counts.sum()
        drawn = rng.multinomial(n[kind], counts / n[kind], size=n_resamples).cumsum(axis=1)
        rates["all"] = np.pad(drawn / n[kind], [(0, 0), (1, 0)])
    tpr, fpr = tpr["all"], fpr["all"]
    cut = int(np.searchsorted(thresholds, -threshold, side="right"))
    tp, fp = tpr[:, cut] * n[True], fpr[:, cut] * n[False]
    with np.errstate(invalid="ignore"):
        draws = {
            "accuracy": (tpr[:, cut] + 1 - fpr[:, cut]) / 2,
            "precision": tp / (tp + fp),
            "recall": tpr[:, cut],
            "f1": 2 * tp / (tp + fp + n[True]),
        }
    draws["auc"] = ((tpr[:, 1:] + tpr[:, :-1]) / 2 * np.diff(fpr, axis=1)).sum(axis=1)
    for target in fprs:
        draws[f"tpr_at_{target:g}_fpr"] = np.where(fpr <= target + 1e-12, tpr, 0).max(axis=1)
    return draws


def over_seeds(values, n_resamples, seed=0):
    """Mean over seeds with its 95 % interval: (mean, low, high); low and high are NaN for a single seed.

    An expanded percentile bootstrap (Hesterberg 2015, section 5.3): plain percentiles of few values are too narrow by
    sqrt((n - 1) / n) and by z / t, and wider percentiles undo both. Fewer than FEW values have too few different
    resamples to reach such percentiles: they get Student's interval.
    """
    values = np.asarray(values, dtype=float)
    mean = float(values.mean())
    if len(values) < 2 or np.isnan(mean):
        return mean, float("nan"), float("nan")
    n = len(values)
    if n < FEW:
        reach = special.stdtrit(n - 1, (1 + LEVEL) / 2) * values.std(ddof=1) / np.sqrt(n)
        return mean, mean - float(reach), mean + float(reach)
    tail = special.ndtr(-np.sqrt(n / (n - 1)) * special.stdtrit(n - 1, (1 + LEVEL) / 2))
    rng = stream(seed, "bootstrap over seeds")
    means = values[rng.integers(n, size=(n_resamples, n))].mean(axis=1)
    low, high = np.quantile(means, [tail, 1 - tail])
    return mean, float(low), float(high)
