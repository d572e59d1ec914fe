"""Membership scores of the target's points. The target's membership is not among the inputs."""

from typing import Any

from lmia import artifacts, plugins
from lmia.attacks.entries import of_entry
from lmia.attacks.observation_files import check_precision, load_observations
from lmia.attacks.score_checks import BadScores
from lmia.attacks.scoring import score_block
from lmia.membership import load_membership
from lmia.streams import seed_list
from workflow.harness.errors import bad_input
from workflow.harness.job import job


def score(
    target: str,
    shadows: list[str],
    splits: list[str],
    output: str,
    attack: dict[str, Any],
    name: str,
    observation: str,
    seeds: list[int],
) -> None:
    of_target, *of_shadows = [load_observations(path, observation) for path in (target, *shadows)]
    check_precision([of_target, *of_shadows])
    known = [load_membership(split, of.example_ids) for split, of in zip(splits, of_shadows, strict=True)]
    with bad_input(f"attacks.{name}.kind: {attack['kind']}", BadScores):
        arrays = score_block(of_entry(attack), of_target, of_shadows, known, attack["budget"], attack["budgets"])
    artifacts.save(output, "scores", arrays, {"attack": attack, "seeds": seeds})


if __name__ == "__main__":
    with job(snakemake, *plugins.modules(attacks=snakemake.params.attack)):
        score(
            target=snakemake.input.target,
            shadows=list(snakemake.input.shadows),
            splits=list(snakemake.input.splits),
            output=snakemake.output[0],
            attack=snakemake.params.attack,
            name=snakemake.wildcards.attack,
            observation=snakemake.params.observation,
            seeds=seed_list(snakemake.params.seeds),
        )
