"""Rows of metrics.csv that bound the epsilon with which the models of a pool were trained."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from lmia.evaluation.epsilon import best_of, clopper_pearson_bound, count, guess, one_run_bound
from lmia.evaluation.metrics_table import ALL_SEEDS

ONE_RUN, BY_RATES = "epsilon_one_run", "epsilon_by_rates"
DEPENDENT_TRIALS = "examples of one model are no independent trials"


def epsilon_rows(
    scored: Mapping[str, np.ndarray], is_member: np.ndarray, models: Sequence[int], delta: float, level: float
) -> Iterator[dict]:
    """Rows of metrics.csv: what an attack's guesses say of the epsilon with which the models of a pool were trained.

    epsilon_one_run of each model is `one_run_bound`, and of all models `best_of`. epsilon_by_rates of all models is
    `clopper_pearson_bound` of calling a member whoever is guessed to be in, or, where the shadows have chosen to guess
    none so, all but those who are guessed to be out. The value is the bound, which is the lower end of an interval
    without an upper end; NaN where scores have no order.

    Args:
        scored: Arrays as `lmia.evaluation.score_files.load_pool_scores` has them. Where there are canaries, their
            coins alone are guessed.
        is_member: Bools (K, N).
        models: Their numbers, ascending.
        delta: In [0, 1).
        level: Of confidence, in (0, 1).
    """
    guessed = scored["is_canary"] if scored["is_canary"].any() else ~scored["is_canary"]
    is_member = is_member[:, guessed]
    for v, setting in enumerate(scored["settings"]):
        scores, shares, queries = (scored[name][:, v] for name in ("scores", "shares", "queries"))
        scores = scores[:, guessed]
        guesses = np.stack([guess(*of) for of in zip(scores, shares, strict=True)])
        runs = [count(*of) for of in zip(guesses, is_member, strict=True)]
        bounds = [one_run_bound(run, delta, level) for run in runs]
        together = best_of(runs, delta, level)
        is_called = np.where(shares[:, :1] > 0, guesses > 0, guesses >= 0)
        called, false = ((int(is_called[of].sum()), int(of.sum())) for of in (is_member, ~is_member))
        by_rates = clopper_pearson_bound(called, false, delta, level)
        if not scored["can_rank"].all():
            bounds, together, by_rates = [np.nan] * len(runs), np.nan, np.nan
        for number, bound, asked in zip(models, bounds, queries, strict=True):
            yield {"seed": number, "queries": asked, "setting": setting} | _bound_row(ONE_RUN, bound)
        of_all = {"seed": ALL_SEEDS, "queries": queries.mean(), "setting": setting}
        yield of_all | _bound_row(ONE_RUN, together)
        yield of_all | _bound_row(BY_RATES, by_rates) | {"flags": DEPENDENT_TRIALS}


def _bound_row(metric: str, bound: float) -> dict:
    return {"metric": metric, "value": bound, "ci_low": bound, "ci_high": float("nan"), "flags": ""}
