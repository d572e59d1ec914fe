"""What attacks on a given model come to: a page, the same for a program and for a model card, and all records."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from lmia import artifacts
from lmia.audit.findings import report
from lmia.audit.page import to_card, to_html
from lmia.data.csv import load_columns
from lmia.evaluation.metrics_table import read_metrics
from lmia.membership import load_membership
from lmia.streams import seed_list
from workflow.harness.errors import bad_input
from workflow.harness.job import job


def write(
    scores: list[str],
    split: str,
    table: str,
    alternatives: list[str],
    output: Any,
    attacks: list[str],
    about: dict[str, Any],
    seeds: list[int],
    columns: pd.DataFrame | None,
    naming: str | None,
) -> None:
    expected = {"scores": ("f", 3), "thresholds": ("f", 3), "example_ids": ("i", 2)}
    scored = {name: artifacts.load(path, "scores", expected)[0] for name, path in zip(attacks, scores, strict=True)}
    (is_member,) = load_membership(split, next(iter(scored.values()))["example_ids"])
    others = [json.loads(Path(path).read_text()) for path in alternatives]
    whole, records = report(scored, is_member, read_metrics(table), about, seeds[0], columns, naming, others)
    records.to_csv(output.records, index=False)
    Path(output.json).write_text(json.dumps(whole, indent=2) + "\n")
    Path(output.page).write_text(to_html(whole))
    Path(output.card).write_text(to_card(whole))


if __name__ == "__main__":
    params = snakemake.params
    naming, groups, dataset = params.columns["id"], params.columns["groups"], params.about["dataset"]
    with job(snakemake):
        names = ([naming] if naming else []) + [name for name in groups if name != naming]
        with bad_input(f"datasets.{dataset}"):
            columns = load_columns(snakemake.config["datasets"][dataset]["path"], names) if names else None
        write(
            scores=list(snakemake.input.scores),
            split=snakemake.input.split,
            table=snakemake.input.table,
            alternatives=list(snakemake.input.alternatives),
            output=snakemake.output,
            attacks=params.attacks,
            about=params.about,
            seeds=seed_list(params.seeds),
            columns=columns,
            naming=naming,
        )
