"""Membership scores of the points under some models of a pool, by the others but for their partners."""

from typing import Any

from lmia import artifacts, plugins
from lmia.attacks.entries import of_entry
from lmia.attacks.observation_files import join_blocks, load_observations
from lmia.attacks.score_checks import BadScores
from lmia.calibration.scoring import score_targets
from lmia.canaries import load_canaries
from lmia.membership import load_pool_membership
from lmia.streams import seed_list
from workflow.harness.errors import bad_input
from workflow.harness.job import job


def score(
    targets: str,
    models: list[str],
    splits: list[str],
    output: str,
    attack: dict[str, Any],
    name: str,
    calibrates: bool,
    observation: str,
    seeds: list[int],
    blocks: list[list[int]],
) -> None:
    """Write one attack's scores of all points under the targets of a block.

    targets: their observations; models, splits: of all blocks of the pool, as `blocks` has their seeds; calibrates:
    whether it is a rule of `lmia.calibration`; seeds: of the targets.
    """
    of_targets = load_observations(targets, observation)
    known = join_blocks([load_observations(path, observation) for path in models], blocks)
    numbers = sorted(seed for block in blocks for seed in block)
    is_member = load_pool_membership(splits, blocks, known.example_ids[0])
    places = [numbers.index(seed) for seed in seeds]
    is_canary = load_canaries(splits[0], known.example_ids[0])
    guessed = is_canary if is_canary.any() else None
    ways = (attack["budget"], attack["budgets"], attack["shadows"], guessed)
    with bad_input(f"attacks.{name}.kind: {attack['kind']}", BadScores):
        arrays = score_targets(of_entry(attack, calibrates), of_targets, places, known.per_seed, is_member, *ways)
    artifacts.save(output, "scores", arrays, {"attack": attack, "seeds": seeds})


if __name__ == "__main__":
    params = snakemake.params
    package = "calibration" if params.calibrates else "attacks"
    with job(snakemake, *plugins.modules(**{package: params.attack})):
        score(
            targets=snakemake.input.targets,
            models=list(snakemake.input.models),
            splits=list(snakemake.input.splits),
            output=snakemake.output[0],
            attack=params.attack,
            name=snakemake.wildcards.attack,
            calibrates=params.calibrates,
            observation=params.observation,
            seeds=seed_list(params.seeds),
            blocks=[seed_list(block) for block in params.blocks],
        )
