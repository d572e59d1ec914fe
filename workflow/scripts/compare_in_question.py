"""Which records in question stand out from known ones that were not in training: a page, and all of them."""

from typing import Any

import numpy as np
import pandas as pd

from lmia import artifacts, plugins
from lmia.attacks.entries import of_entry
from lmia.attacks.observation_files import ObservedModels, check_precision, load_observations
from lmia.audit import files
from lmia.audit.standing_page import blind_flags, report, to_card, to_html
from lmia.evaluation.flag_texts import parted
from lmia.evaluation.intervals import proportion
from lmia.evaluation.references import flag_of
from lmia.streams import seed_list
from lmia.table import Table
from workflow.harness.errors import bad_input
from workflow.harness.job import job


def scores_of(attack: dict[str, Any], observed: ObservedModels) -> tuple[np.ndarray, float, float | None]:
    """(scores (n,), mean queries per record, the attack's own threshold, None where it has none), of all magnitudes
    together, by an attack that learns nothing.
    """
    rule = of_entry(attack)()
    (of_model,) = observed.per_seed
    cut = of_model if attack["budget"] is None else of_model.cut(attack["budget"])
    own = rule.threshold_on(cut) if hasattr(rule, "threshold_on") else None
    return rule.score(cut), float(cut.queries().mean()), own


def compare(inputs: Any, output: Any, params: Any, columns: pd.DataFrame | None) -> None:
    known, asked, queries, thresholds = {}, {}, {}, {}
    names, attacks, kinds = zip(*params.attacks, strict=True)
    pairs = [
        [load_observations(path, kind) for path in paths]
        for *paths, kind in zip(inputs.known, inputs.in_question, kinds, strict=True)
    ]
    for name, attack, pair in zip(names, attacks, pairs, strict=True):
        check_precision(pair)
        known[name], queries[name], thresholds[name] = scores_of(attack, pair[0])
        asked[name], *_ = scores_of(attack, pair[1])
    known_ids, ids = (observed.example_ids[0] for observed in pairs[0])
    model, _ = artifacts.load(inputs.model, "model", {"test_accuracy": ("f", 1)})
    n = artifacts.load(inputs.split, "split", {"nonmembers": ("i", 2)})[0]["nonmembers"].shape[1]
    accuracy = proportion(round(n * float(model["test_accuracy"][0])), n)
    data, _ = artifacts.load(inputs.dataset, "dataset", {"classes": ("i", 1)})
    (seed,) = seed_list(params.seeds)
    flags = [f"target {flag}" for text in model.get("flags", ()) for flag in parted(str(text))]
    of_references = {flag_of(of.per_seed[0], np.zeros(len(known_ids), dtype=bool)) for of, _ in pairs}
    flags += sorted(of_references - {""})
    table = Table.from_arrays(data)
    seen = data["inputs"] if table is None else table.features(data["inputs"])
    flags += blind_flags(seen, data["classes"], known_ids, ids, seed)
    whole, records = report(known, asked, queries, thresholds, ids, params.about, accuracy, flags, columns)
    files.write(output, whole, records, to_html, to_card)


if __name__ == "__main__":
    params = snakemake.params
    naming, groups, dataset = params.columns["id"], params.columns["groups"], params.about["dataset"]
    with job(snakemake, *(module for _, attack, _ in params.attacks for module in plugins.modules(attacks=attack))):
        with bad_input(f"datasets.{dataset}"):
            columns = files.own_columns(snakemake.config["datasets"][dataset].get("path", ""), naming, groups)
        compare(snakemake.input, snakemake.output, params, columns)
