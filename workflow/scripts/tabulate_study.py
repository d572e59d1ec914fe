"""All measures of one study in one tidy table, with rows over seeds."""

from lmia.evaluation.metrics_table import read_measures, with_rows_over_seeds
from workflow.harness.job import job

if __name__ == "__main__":
    with job(snakemake):
        table = with_rows_over_seeds(read_measures(snakemake.input))
        table.to_csv(snakemake.output[0], index=False)
