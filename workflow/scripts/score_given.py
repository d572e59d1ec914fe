"""Membership scores of the known records of a model: each half is judged by what the other half teaches."""

from typing import Any

import numpy as np

from lmia import artifacts, plugins
from lmia.attacks.known_records import NO_OPTIONS, halves, run_on_halves
from lmia.attacks.observation_files import load_observations
from lmia.attacks.scoring import as_arrays
from lmia.evaluation.references import flag_of
from lmia.membership import load_membership
from lmia.streams import seed_list
from workflow.harness.job import job


def score(target: str, split: str, output: str, attack: dict[str, Any], observation: str, seeds: list[int]) -> None:
    make = plugins.bind("attacks", "Attack", {key: attack[key] for key in attack if key not in NO_OPTIONS})
    observed = load_observations(target, observation)
    known = load_membership(split, observed.example_ids)
    results = []
    for seed, of_model, is_member in zip(seeds, observed.per_seed, known, strict=True):
        half = halves(is_member, seed)
        ways = (observed.unit, attack["budget"], attack["budgets"])
        results.append(run_on_halves(make, of_model, is_member, half, *ways))
    arrays = as_arrays(results, observed)
    arrays["flags"] = np.array([flag_of(of, is_member) for of, is_member in zip(observed.per_seed, known, strict=True)])
    artifacts.save(output, "scores", arrays, {"attack": attack, "seeds": seeds})


if __name__ == "__main__":
    with job(snakemake, *plugins.modules(attacks=snakemake.params.attack)):
        score(
            target=snakemake.input.target,
            split=snakemake.input.split,
            output=snakemake.output[0],
            attack=snakemake.params.attack,
            observation=snakemake.params.observation,
            seeds=seed_list(snakemake.params.seeds),
        )
