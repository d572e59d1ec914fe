"""What attacks decide of records in question where nobody knows of any record whether it was in training."""

from typing import Any

import pandas as pd

from lmia import artifacts, plugins
from lmia.attacks.entries import of_entry
from lmia.attacks.observation_files import load_observations
from lmia.attacks.observations import Distances
from lmia.audit import files
from lmia.audit.deciding_page import Decisions, report, to_card, to_html
from lmia.evaluation.flag_texts import parted
from lmia.evaluation.intervals import proportion
from workflow.harness.errors import bad_input
from workflow.harness.job import job


def decide(inputs: Any, output: Any, params: Any, columns: pd.DataFrame | None) -> None:
    found = []
    for (name, attack, kind), path in zip(params.attacks, inputs.in_question, strict=True):
        observed, rule = load_observations(path, kind), of_entry(attack)()
        (asked,), (ids,) = observed.per_seed, observed.example_ids
        asked = asked if attack["budget"] is None else asked.cut(attack["budget"])
        decided = (rule.score(asked), rule.threshold_on(asked), float(asked.queries().mean()), asked.searches())
        assert isinstance(asked, Distances) and asked.random_distance is not None  # which the threshold is from
        found.append(Decisions(name, *decided, n_random=len(asked.random_distance)))
    model, _ = artifacts.load(inputs.model, "model", {"test_accuracy": ("f", 1)})
    accuracy = proportion(round(len(ids) * float(model["test_accuracy"][0])), len(ids))
    flags = [f"target {flag}" for text in model.get("flags", ()) for flag in parted(str(text))]
    whole, records = report(found, ids, params.about, accuracy, flags, columns)
    files.write(output, whole, records, to_html, to_card)


if __name__ == "__main__":
    params = snakemake.params
    naming, groups, dataset = params.columns["id"], params.columns["groups"], params.about["dataset"]
    with job(snakemake, *(module for _, attack, _ in params.attacks for module in plugins.modules(attacks=attack))):
        with bad_input(f"datasets.{dataset}"):
            columns = files.own_columns(snakemake.config["datasets"][dataset].get("path", ""), naming, groups)
        decide(snakemake.input, snakemake.output, params, columns)
