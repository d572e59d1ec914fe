"""Membership scores of records of which nobody knows: each is judged as the known records of its half are."""

from typing import Any

from lmia import artifacts, plugins
from lmia.attacks.known_records import NO_OPTIONS, halves, halves_in_question, judge_in_question
from lmia.attacks.observation_files import check_precision, load_observations
from lmia.attacks.scoring import as_arrays
from lmia.membership import load_membership
from lmia.streams import seed_list
from workflow.harness.job import job


def score(
    target: str,
    in_question: str,
    split: str,
    output: str,
    attack: dict[str, Any],
    observation: str,
    seeds: list[int],
) -> None:
    make = plugins.bind("attacks", "Attack", {key: attack[key] for key in attack if key not in NO_OPTIONS})
    known, asked = load_observations(target, observation), load_observations(in_question, observation)
    check_precision([known, asked])
    (seed,), (of_known,), (of_asked,) = seeds, known.per_seed, asked.per_seed
    (is_member,), (ids,) = load_membership(split, known.example_ids), asked.example_ids
    own_half = halves_in_question(ids, seed)
    taught = (make, of_known, is_member, halves(is_member, seed))
    result = judge_in_question(*taught, of_asked, own_half, known.unit, attack["budget"])
    artifacts.save(output, "scores_in_question", as_arrays([[result]], asked), {"attack": attack, "seeds": seeds})


if __name__ == "__main__":
    with job(snakemake, *plugins.modules(attacks=snakemake.params.attack)):
        score(
            target=snakemake.input.target,
            in_question=snakemake.input.in_question,
            split=snakemake.input.split,
            output=snakemake.output[0],
            attack=snakemake.params.attack,
            observation=snakemake.params.observation,
            seeds=seed_list(snakemake.params.seeds),
        )
