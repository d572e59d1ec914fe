"""A figure that is drawn from the tables of its studies alone."""

from lmia import plugins
from lmia.evaluation.metrics_table import read_measures
from lmia.figures.style import save
from workflow.harness.job import job

with job(snakemake, f"lmia.figures.{snakemake.params.figure['kind']}"):
    plot = plugins.load("figures", snakemake.params.figure["kind"]).plot
    save(plot(read_measures(snakemake.input), snakemake.params.figure), snakemake.output)
