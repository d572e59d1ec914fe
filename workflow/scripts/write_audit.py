"""What attacks on a given model come to: a page, the same for a program and for a model card, and all records."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from lmia import artifacts
from lmia.audit import files
from lmia.audit.findings import report
from lmia.audit.page import to_card, to_html
from lmia.audit.standing_page import blind_flags
from lmia.evaluation.metrics_table import read_metrics
from lmia.membership import load_membership
from lmia.streams import seed_list
from lmia.table import Table
from workflow.harness.errors import bad_input
from workflow.harness.job import job


def write(
    scores: list[str],
    in_question: list[str],
    split: str,
    table: str,
    dataset: str | None,
    alternatives: list[str],
    output: Any,
    attacks: list[str],
    about: dict[str, Any],
    seeds: list[int],
    columns: pd.DataFrame | None,
    naming: str | None,
) -> None:
    """Write the page of a given model and the files beside it.

    scores, in_question: files of each of `attacks`, the latter none where no record is in question; dataset: None where
    records in question are not compared with others; alternatives: reports of other trainings; about: what the page
    says of the model; columns: of the user's own, None for none; naming: which of them names records, None for none.
    """
    expected = {"scores": ("f", 3), "example_ids": ("i", 2)}
    scored = {name: artifacts.load(path, "scores", expected)[0] for name, path in zip(attacks, scores, strict=True)}
    asked = {
        name: artifacts.load(path, "scores_in_question", expected)[0]
        for name, path in zip(attacks, in_question, strict=bool(in_question))
    }
    (is_member,) = load_membership(split, next(iter(scored.values()))["example_ids"])
    others = [json.loads(Path(path).read_text()) for path in alternatives]
    metrics = read_metrics(table)
    whole, records = report(scored, is_member, metrics, about, seeds[0], columns, naming, others, asked)
    if dataset is not None:
        known, ids = (next(iter(of.values()))["example_ids"][0] for of in (scored, asked))
        data, _ = artifacts.load(dataset, "dataset", {"classes": ("i", 1)})
        own = Table.from_arrays(data)
        seen = data["inputs"] if own is None else own.features(data["inputs"])
        differ = blind_flags(seen, data["classes"], known[~is_member], ids, seeds[0])
        whole["flags"] = sorted({*whole["flags"], *differ})
    files.write(output, whole, records, to_html, to_card)


if __name__ == "__main__":
    params = snakemake.params
    naming, groups, dataset = params.columns["id"], params.columns["groups"], params.about["dataset"]
    with job(snakemake):
        with bad_input(f"datasets.{dataset}"):
            columns = files.own_columns(snakemake.config["datasets"][dataset].get("path", ""), naming, groups)
        write(
            scores=list(snakemake.input.scores),
            in_question=list(snakemake.input.in_question),
            split=snakemake.input.split,
            table=snakemake.input.table,
            dataset=next(iter(snakemake.input.dataset), None),
            alternatives=list(snakemake.input.alternatives),
            output=snakemake.output,
            attacks=params.attacks,
            about=params.about,
            seeds=seed_list(params.seeds),
            columns=columns,
            naming=naming,
        )
