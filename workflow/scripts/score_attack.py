"""Membership scores of the target's points. The target's membership is not among the inputs."""

import numpy as np

from lmia import artifacts, plugins
from lmia.attacks.observation_files import check_precision, load_observations
from lmia.attacks.scoring import run_attack
from lmia.streams import seed_list
from workflow.harness.job import job

NO_OPTIONS = ("kind", "reads", "budget", "budgets")  # of the rule itself


def score(target, shadows, splits, output, attack, observation, seeds):
    options = {key: attack[key] for key in attack if key not in NO_OPTIONS}
    make = plugins.bind("attacks", "Attack", {"kind": attack["kind"], **options})
    targets, target_ids, provenance = load_observations(target, observation)
    shadows = [load_observations(path, observation) for path in shadows]
    check_precision([provenance, *(of_shadow for _, _, of_shadow in shadows)])
    members = [artifacts.load(path, "split", {"members": ("i", 2)})[0]["members"] for path in splits]
    budgets = attack["budget"], attack["budgets"]
    results = []
    for s, observed in enumerate(targets):
        is_member = [np.isin(ids[s], part[s]) for (_, ids, _), part in zip(shadows, members, strict=True)]
        of_shadows = [of_seed[s] for of_seed, _, _ in shadows]
        results.append(run_attack(make, observed, of_shadows, is_member, provenance["unit"], *budgets))
    per_way = {"scores": "scores", "thresholds": "threshold", "queries": "queries", "chosen": "chosen"}
    per_way |= {"searches": "searches"}
    arrays = {name: np.array([[getattr(w, of) for w in ways] for ways in results]) for name, of in per_way.items()}
    arrays |= {
        "settings": np.array([way.setting for way in results[0]]),
        "can_rank": np.array([observed.can_rank for observed in targets]),
        "example_ids": target_ids,
    }
    artifacts.save(output, "scores", arrays, {"attack": attack, "seeds": seeds})


if __name__ == "__main__":
    with job(snakemake, *plugins.modules(attacks=snakemake.params.attack)):
        score(
            target=snakemake.input.target,
            shadows=list(snakemake.input.shadows),
            splits=list(snakemake.input.splits),
            output=snakemake.output[0],
            attack=snakemake.params.attack,
            observation=snakemake.params.observation,
            seeds=seed_list(snakemake.params.seeds),
        )
