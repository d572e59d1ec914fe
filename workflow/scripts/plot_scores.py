"""A figure that is drawn from per-example scores and the target's membership."""

import numpy as np

from lmia import artifacts, plugins
from lmia.figures.style import save
from workflow.job import job


def collect(scores, splits):
    """attack -> list over seeds of (scores (n,), is_member (n,)), as the attack is meant to be run."""
    members = {path.rpartition("/")[0].removeprefix("results/splits/"): path for path in splits}
    collected = {}
    for path in scores:
        run, _, name = path.removeprefix("results/scores/").rpartition("/")
        arrays, _ = artifacts.load(path, "scores", {"scores": ("f", 3)})
        split, _ = artifacts.load(members[run], "split", {"members": ("i", 2)})
        per_seed = [
            (points[0], np.isin(ids, inside))
            for points, ids, inside in zip(arrays["scores"], arrays["example_ids"], split["members"], strict=True)
        ]
        collected.setdefault(name.removesuffix(".npz"), []).extend(per_seed)
    return collected


with job(snakemake, f"lmia.figures.{snakemake.params.figure['kind']}"):
    plot = plugins.load("figures", snakemake.params.figure["kind"]).plot
    scored = collect(list(snakemake.input.scores), list(snakemake.input.splits))
    save(plot(scored, snakemake.params.figure), snakemake.output)
