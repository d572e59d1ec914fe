"""A table or figure of the paper beside what came out here: its numbers, and its claims with their margins."""

import numpy as np
import pandas as pd

from lmia import artifacts
from lmia.evaluation import flags
from lmia.evaluation.metrics_table import flags_over_seeds, read_measures, read_metrics
from lmia.evaluation.paper_comparison import CHECKS, COMPARISON, Decisions, check, compare, to_markdown
from workflow.harness.job import job

OF_DECISIONS = ("scores", "splits", "setting", "of_model")


def compare_cells(cells):
    tables = {cell["table"]: cell["table"] and read_metrics(cell["table"]) for cell in cells}
    rows = [compare(tables[cell["table"]], cell) for cell in cells]
    return pd.DataFrame(rows, columns=COMPARISON)


def decisions(scores, splits, setting, of_model):
    """The decisions of one attack in one setting, over the seeds of all blocks: paths of scores and of their splits.

    of_model: the scores are the gap attack's, and what counts is how often the model is right on non-members.
    """
    found = []
    for path, split in zip(scores, splits, strict=True):
        scored, _ = artifacts.load(path, "scores", {"scores": ("f", 3)})
        members = artifacts.load(split, "split", {"members": ("i", 2)})[0]["members"]
        v = scored["settings"].tolist().index(setting)
        columns = (scored["scores"][:, v], scored["thresholds"][:, v], scored["example_ids"], scored["queries"][:, v])
        for values, threshold, ids, queries, inside in zip(*columns, members, strict=True):
            is_member = np.isin(ids, inside)
            if of_model:
                found.append(_of_model(values, is_member, ids))
            else:
                found.append(Decisions((values >= threshold) == is_member, is_member, ids, float(queries)))
    return found


def _of_model(right, is_member, ids):
    """The gap attack's scores are 1 where the label is right; its threshold may be that of a constant rule."""
    outside = ~is_member
    return Decisions(right[outside] == 1, is_member[outside], ids[outside], 1.0)


def flags_of(side):
    """What speaks against the numbers of one side of a claim: of its models and its attack, over its seeds."""
    if side["of_model"]:
        table = read_measures(side["model_measures"])
        return flags.over_seeds(table[table["metric"].eq("test_accuracy")]["flags"].tolist())
    if not side["measures"]:  # chance
        return ""
    [(_, text)] = flags_over_seeds(read_measures([*side["measures"], *side["model_measures"]]), side["setting"]).values
    return text


def check_claims(claims, artifact, resamples):
    rows = []
    for claim in claims:
        left, right = (decisions(**{key: side[key] for key in OF_DECISIONS}) for side in claim["sides"])
        bounds = {"at_least": claim["at_least"], "within": claim["within"]}
        row = check(left, right, resamples, **bounds) | {"artifact": artifact, "claim": claim["claim"]}
        rows.append(row | {"flags": flags.join(flags_of(side) for side in claim["sides"])})
    return pd.DataFrame(rows, columns=CHECKS)


def write(output, title, comparison, checks):
    comparison.to_csv(output.comparison, index=False)
    checks.to_csv(output.checks, index=False)
    shown = [name for name in COMPARISON if name != "artifact"]
    with open(output.page, "w") as page:
        page.write(f"# {title}\n")
        if len(comparison):
            page.write("\nAccuracy in %, difference and intervals (95 %) in points.\n\n")
            page.write(to_markdown(comparison, shown))
        if len(checks):
            page.write("\nMargins in points, with 95 % intervals.\n\n")
            page.write(to_markdown(checks, CHECKS[1:]))


with job(snakemake):
    write(
        snakemake.output,
        snakemake.params.title,
        compare_cells(snakemake.params.cells),
        check_claims(snakemake.params.claims, snakemake.params.artifact, snakemake.params.resamples),
    )
