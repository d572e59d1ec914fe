"""A figure that is drawn from metrics.csv alone."""

from lmia import plugins
from lmia.figures.style import save
from lmia.tables import read_metrics
from workflow.job import job

with job(snakemake, f"lmia.figures.{snakemake.params.figure['kind']}"):
    plot = plugins.load("figures", snakemake.params.figure["kind"]).plot
    save(plot(read_metrics(snakemake.input[0]), snakemake.params.figure), snakemake.output)
