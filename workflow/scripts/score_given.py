"""Membership scores of the known records of a model: each half is judged by what the other half teaches, or shadows."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lmia import artifacts, plugins
from lmia.attacks.entries import of_entry
from lmia.attacks.known_records import halves, run_on_halves
from lmia.attacks.observation_files import check_precision, load_observations
from lmia.attacks.score_checks import BadScores
from lmia.attacks.scoring import as_arrays, run_attack
from lmia.evaluation.flag_texts import join
from lmia.evaluation.references import flag_of, flag_of_shadows
from lmia.membership import load_membership
from lmia.streams import seed_list
from workflow.harness.errors import bad_input
from workflow.harness.job import job


def score(
    target: str,
    shadows: Sequence[str],
    split: str,
    splits: Sequence[str],
    output: str,
    attack: dict[str, Any],
    name: str,
    observation: str,
    seeds: list[int],
) -> None:
    """Write one attack's scores of the known records of a given model.

    target: its observations; shadows, splits: of models trained like it, none where its own halves teach; split: of the
    known records; name: of the attack.
    """
    of_target, *of_shadows = [load_observations(path, observation) for path in (target, *shadows)]
    check_precision([of_target, *of_shadows])
    (seed,), (of_model,), (is_member,) = seeds, of_target.per_seed, load_membership(split, of_target.example_ids)
    how = (of_target.unit, attack["budget"], attack["budgets"])
    flags = [flag_of(of_model, is_member)]
    with bad_input(f"attacks.{name}.kind: {attack['kind']}", BadScores):
        if of_shadows:
            asked = [models.per_seed[0] for models in of_shadows]
            is_in = [load_membership(of, models.example_ids)[0] for of, models in zip(splits, of_shadows, strict=True)]
            results = run_attack(of_entry(attack), of_model, asked, is_in, *how)
            flags.append(flag_of_shadows(of_model, asked, is_in, is_member))
        else:
            results = run_on_halves(of_entry(attack), of_model, is_member, halves(is_member, seed), *how)
    arrays = as_arrays([results], of_target) | {"flags": np.array([join(flags)])}
    artifacts.save(output, "scores", arrays, {"attack": attack, "seeds": seeds})


if __name__ == "__main__":
    with job(snakemake, *plugins.modules(attacks=snakemake.params.attack)):
        score(
            target=snakemake.input.target,
            shadows=list(snakemake.input.shadows),
            split=snakemake.input.split,
            splits=list(snakemake.input.splits),
            output=snakemake.output[0],
            attack=snakemake.params.attack,
            name=snakemake.wildcards.attack,
            observation=snakemake.params.observation,
            seeds=seed_list(snakemake.params.seeds),
        )
