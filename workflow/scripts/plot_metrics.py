"""A figure that is drawn from the tables of its studies alone."""

from lmia import plugins
from lmia.evaluation.metrics_table import read_measures
from lmia.figures.style import save
from workflow.harness.job import job

if __name__ == "__main__":
    settings = snakemake.params.figure
    with job(snakemake, *plugins.modules(figures=settings)):
        plot = plugins.load("figures", settings["kind"]).plot
        save(plot(read_measures(snakemake.input), settings), snakemake.output)
