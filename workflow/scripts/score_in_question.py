"""Membership scores of records of which nobody knows: each is judged as the known records of its half are."""

from collections.abc import Sequence
from typing import Any

from lmia import artifacts, plugins
from lmia.attacks.entries import of_entry
from lmia.attacks.known_records import halves, halves_in_question, judge_in_question
from lmia.attacks.observation_files import check_precision, load_observations
from lmia.attacks.score_checks import BadScores
from lmia.attacks.scoring import as_arrays, run_attack
from lmia.membership import load_membership
from lmia.streams import seed_list
from workflow.harness.errors import bad_input
from workflow.harness.job import job


def score(
    target: str,
    in_question: str,
    shadows: Sequence[str],
    split: str,
    splits: Sequence[str],
    output: str,
    attack: dict[str, Any],
    name: str,
    observation: str,
    seeds: list[int],
) -> None:
    """Write one attack's scores of the records in question.

    target, in_question: observations of the known records and of these; shadows, splits: of models trained like the
    given one, none where halves of the known records teach; split: of the known records; name: of the attack.
    """
    known, asked, *of_shadows = [load_observations(path, observation) for path in (target, in_question, *shadows)]
    check_precision([known, asked, *of_shadows])
    (seed,), (of_known,), (of_asked,), (ids,) = seeds, known.per_seed, asked.per_seed, asked.example_ids
    make, how = of_entry(attack), (known.unit, attack["budget"])
    with bad_input(f"attacks.{name}.kind: {attack['kind']}", BadScores):
        if of_shadows:
            is_in = [load_membership(of, models.example_ids)[0] for of, models in zip(splits, of_shadows, strict=True)]
            result = run_attack(make, of_asked, [models.per_seed[0] for models in of_shadows], is_in, *how)[0]
        else:
            (is_member,) = load_membership(split, known.example_ids)
            taught, own_half = (make, of_known, is_member, halves(is_member, seed)), halves_in_question(ids, seed)
            result = judge_in_question(*taught, of_asked, own_half, *how)
    artifacts.save(output, "scores_in_question", as_arrays([[result]], asked), {"attack": attack, "seeds": seeds})


if __name__ == "__main__":
    with job(snakemake, *plugins.modules(attacks=snakemake.params.attack)):
        score(
            target=snakemake.input.target,
            in_question=snakemake.input.in_question,
            shadows=list(snakemake.input.shadows),
            split=snakemake.input.split,
            splits=list(snakemake.input.splits),
            output=snakemake.output[0],
            attack=snakemake.params.attack,
            name=snakemake.wildcards.attack,
            observation=snakemake.params.observation,
            seeds=seed_list(snakemake.params.seeds),
        )
