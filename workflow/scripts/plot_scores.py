"""A figure that is drawn from per-example scores and the target's membership, with the flags of their measures."""

from pathlib import Path

import numpy as np

from lmia import artifacts, plugins
from lmia.evaluation.metrics_table import flags_over_seeds, read_measures
from lmia.figures.style import explain, save
from workflow.harness.job import job


def collect(scores, splits):
    """attack -> list over seeds of (scores (n,), is_member (n,)), as the attack is meant to be run.

    scores, splits: paths, as many of each: the target's split of each file of scores.
    """
    collected = {}
    for path, split in zip(scores, splits, strict=True):
        arrays, _ = artifacts.load(path, "scores", {"scores": ("f", 3)})
        members = artifacts.load(split, "split", {"members": ("i", 2)})[0]["members"]
        per_seed = [
            (points[0], np.isin(ids, inside))
            for points, ids, inside in zip(arrays["scores"], arrays["example_ids"], members, strict=True)
        ]
        collected.setdefault(Path(path).stem, []).extend(per_seed)
    return collected


def draw(plot, scores, splits, measures, output, settings):
    figure = plot(collect(scores, splits), settings)
    explain(figure.axes[0], flags_over_seeds(read_measures(measures)))
    save(figure, output)


if __name__ == "__main__":
    settings = snakemake.params.figure
    with job(snakemake, *plugins.modules(figures=settings)):
        draw(
            plot=plugins.load("figures", settings["kind"]).plot,
            scores=list(snakemake.input.scores),
            splits=list(snakemake.input.splits),
            measures=list(snakemake.input.measures),
            output=snakemake.output,
            settings=settings,
        )
