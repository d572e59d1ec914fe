"""A figure that is drawn from per-example scores and the target's membership, with the flags of their measures."""

from typing import Any

from lmia import plugins
from lmia.evaluation.metrics_table import flags_over_seeds, read_measures
from lmia.evaluation.score_files import load_scores
from lmia.figures.remarks import flagged
from lmia.figures.style import save
from workflow.harness.job import job


def draw(scores: list[str], splits: list[str], measures: list[str], output: Any, options: dict[str, Any]) -> None:
    drawn = plugins.load("figures", options["kind"]).plot(load_scores(scores, splits), options)
    told = flagged(flags_over_seeds(read_measures(measures)), "Flagged")
    save(drawn._replace(remarks=drawn.remarks + told), output)


if __name__ == "__main__":
    inputs, options = snakemake.input, snakemake.params.figure
    with job(snakemake, *plugins.modules(figures=options)):
        draw(list(inputs.scores), list(inputs.splits), list(inputs.measures), snakemake.output, options)
