"""A figure that is drawn from the tables of its studies alone."""

from lmia import plugins
from lmia.evaluation.metrics_table import read_measures
from lmia.figures.style import save
from workflow.harness.job import job

if __name__ == "__main__":
    options = snakemake.params.figure
    with job(snakemake, *plugins.modules(figures=options)):
        plot = plugins.load("figures", options["kind"]).plot
        save(plot(read_measures(snakemake.input), options), snakemake.output)
