"""A table or figure of the paper beside what came out here: its numbers, and its claims with their margins."""

from pathlib import Path
from typing import Any

from lmia.evaluation.claims import claim_margins, judge_margins
from lmia.evaluation.paper_comparison import compare_numbers, to_page
from workflow.harness.job import job


def compare(output: Any, title: str, artifact: str, numbers: list[dict], claims: list[dict], resamples: int) -> None:
    comparison, margins = compare_numbers(numbers), claim_margins(claims, artifact, resamples)
    judged = judge_margins(margins, claims)
    comparison.to_csv(output.comparison, index=False)
    margins.to_csv(output.margins, index=False)
    judged.to_csv(output.claims, index=False)
    Path(output.page).write_text(to_page(title, comparison, judged))


if __name__ == "__main__":
    params = snakemake.params
    with job(snakemake):
        compare(snakemake.output, params.title, params.artifact, params.numbers, params.claims, params.resamples)
