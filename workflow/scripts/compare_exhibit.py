"""A table or figure of the paper beside what came out here: its numbers, and its claims with their margins."""

import pandas as pd

from lmia import artifacts
from lmia.evaluation import flags
from lmia.evaluation.claim_decisions import decisions
from lmia.evaluation.metrics_table import flags_over_seeds, read_measures, read_metrics
from lmia.evaluation.paper_comparison import CLAIMS, COMPARISON, compare_number, judge_claim, to_markdown
from workflow.harness.job import job


def compare_numbers(numbers):
    tables = {number["table"]: number["table"] and read_metrics(number["table"]) for number in numbers}
    rows = [compare_number(tables[number["table"]], number) for number in numbers]
    return pd.DataFrame(rows, columns=COMPARISON)


def decisions_of(side):
    """The decisions of one side of a claim, over the seeds of all blocks."""
    found = []
    for path, split in zip(side["scores"], side["splits"], strict=True):
        scored, _ = artifacts.load(path, "scores", {"scores": ("f", 3)})
        members = artifacts.load(split, "split", {"members": ("i", 2)})[0]["members"]
        found += decisions(scored, members, side["setting"], side["of_model"])
    return found


def flags_of(side):
    """What speaks against the numbers of one side of a claim: of its models and its attack, over its seeds."""
    if side["of_model"]:
        table = read_measures(side["model_measures"])
        return flags.over_seeds(table[table["metric"].eq("test_accuracy")]["flags"].tolist())
    if not side["measures"]:  # chance
        return ""
    [(_, text)] = flags_over_seeds(read_measures([*side["measures"], *side["model_measures"]]), side["setting"]).values
    return text


def judge_claims(claims, artifact, resamples):
    rows = []
    for claim in claims:
        left, right = map(decisions_of, claim["sides"])
        bounds = {"at_least": claim["at_least"], "within": claim["within"]}
        row = judge_claim(left, right, resamples, **bounds) | {"artifact": artifact, "claim": claim["claim"]}
        rows.append(row | {"flags": flags.join(flags_of(side) for side in claim["sides"])})
    return pd.DataFrame(rows, columns=CLAIMS)


def write(output, title, comparison, claims):
    comparison.to_csv(output.comparison, index=False)
    claims.to_csv(output.claims, index=False)
    shown = [name for name in COMPARISON if name != "artifact"]
    with open(output.page, "w") as page:
        page.write(f"# {title}\n")
        if len(comparison):
            page.write("\nAccuracy in %, difference and intervals (95 %) in points.\n\n")
            page.write(to_markdown(comparison, shown))
        if len(claims):
            page.write("\nMargins in points, with 95 % intervals.\n\n")
            page.write(to_markdown(claims, CLAIMS[1:]))


if __name__ == "__main__":
    params = snakemake.params
    with job(snakemake):
        write(
            output=snakemake.output,
            title=params.title,
            comparison=compare_numbers(params.numbers),
            claims=judge_claims(params.claims, params.artifact, params.resamples),
        )
