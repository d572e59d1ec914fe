"""Membership scores of the target's points. The target's membership is not among the inputs."""

import numpy as np

from lmia import artifacts, plugins
from lmia.attacks import observations
from lmia.attacks.scoring import run_attack
from workflow.harness.job import job
from workflow.seeds import seed_list

TYPES = {
    "labels": ("answers", observations.Answers, ("labels", "classes", "magnitudes")),
    "distances": ("distances", observations.Distances, ("best", "spent", "classes", "stopped")),
    "white_box": ("white_box", observations.Distances, ("best", "spent", "classes")),
    "confidences": ("confidences", observations.Confidences, ("probabilities", "classes")),
}


def load(path, observation):
    """(one observation per seed, example ids (s, n), provenance)."""
    kind, make, names = TYPES[observation]
    arrays, provenance = artifacts.load(path, kind, {"example_ids": ("i", 2)})
    seeds = range(len(arrays["example_ids"]))
    return [make(*(arrays[name][s] for name in names)) for s in seeds], arrays["example_ids"], provenance


def check_precision(target, shadows):
    """Thresholds carry over between answers of one precision only; each model falls back from bfloat16 by itself."""
    ways = [[how["precision"] for how in provenance.get("asked", [])] for provenance in (target, *shadows)]
    if any(way != ways[0] for way in ways):
        raise ValueError(
            f"target and shadows were asked in different precisions ({ways}), as bfloat16 changed too many labels of "
            "some; set precision: float32 of this query set, or raise its most_disagreement"
        )


def score(target, shadows, splits, output, attack, observation, seeds):
    options = {key: attack[key] for key in attack if key not in ("kind", "reads", "budget", "budgets")}
    make = plugins.bind("attacks", "Attack", {"kind": attack["kind"], **options})
    targets, target_ids, provenance = load(target, observation)
    shadows = [load(path, observation) for path in shadows]
    check_precision(provenance, [of_shadow for _, _, of_shadow in shadows])
    members = [artifacts.load(path, "split", {"members": ("i", 2)})[0]["members"] for path in splits]
    results = []
    for s, _ in enumerate(seeds):
        known = [np.isin(ids[s], part[s]) for (_, ids, _), part in zip(shadows, members, strict=True)]
        seen = [of_seed[s] for of_seed, _, _ in shadows]
        results.append(
            run_attack(make, targets[s], seen, known, provenance["unit"], attack["budget"], attack["budgets"])
        )
    arrays = {
        "scores": np.array([[way.scores for way in ways] for ways in results]),
        "thresholds": np.array([[way.threshold for way in ways] for ways in results]),
        "queries": np.array([[way.queries for way in ways] for ways in results]),
        "chosen": np.array([[way.chosen for way in ways] for ways in results]),
        "searches": np.array([[way.searches for way in ways] for ways in results]),
        "settings": np.array([way.setting for way in results[0]]),
        "can_rank": np.array([seen.can_rank for seen in targets]),
        "example_ids": target_ids,
    }
    artifacts.save(output, "scores", arrays, {"attack": attack, "seeds": seeds})


with job(snakemake, plugins.module_name("attacks", snakemake.params.attack["kind"])):
    score(
        target=snakemake.input.target,
        shadows=list(snakemake.input.shadows),
        splits=list(snakemake.input.splits),
        output=snakemake.output[0],
        attack=snakemake.params.attack,
        observation=snakemake.params.observation,
        seeds=seed_list(snakemake.params.seeds),
    )
