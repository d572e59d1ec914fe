"""The tables of all studies as one."""

from lmia.evaluation.metrics_table import read_measures
from workflow.harness.job import job

if __name__ == "__main__":
    with job(snakemake):
        read_measures(snakemake.input).to_csv(snakemake.output[0], index=False)
