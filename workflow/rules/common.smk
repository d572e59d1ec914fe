# The checked configuration, the pattern of the paths, and what each rule's params may hold: its own entries alone.
from snakemake.exceptions import WorkflowError

from lmia.plugins import module_name
from workflow.config import ConfigError, check, observation, seed_list
from workflow.fingerprint import fingerprint

try:
    CONFIG = check(config)
except ConfigError as error:
    raise WorkflowError(f"the configuration cannot be run:\n{error}")

RUN = "{study}/{cell}/{seeds}"  # cell: n_train and defense, as n200-none; seeds: one block of seeds, as 0-5


def queries_yielding(kind):
    return [
        name for name, query in CONFIG.queries.items() if observation(query) == kind
    ]


def any_of(names):
    return "|".join(names) or "(?!)"


wildcard_constraints:
    study=any_of(CONFIG.studies),
    cell=r"n\d+-[^/]+",
    seeds=r"\d+(-\d+)?",
    role=r"target|shadow\d+",
    attack=any_of(CONFIG.attacks),
    figure=any_of(CONFIG.figures),


def code(stage, *modules):
    """Hashes of a stage's script and of all that it imports; `modules` are those that the config chooses."""
    return fingerprint(f"workflow/scripts/{stage}.py", *modules)


def cells(study):
    return [f"n{n}-{defense}" for n in study.n_train for defense in study.defenses]


def n_train(wildcards):
    return int(wildcards.cell.split("-", 1)[0][1:])


def defense(wildcards):
    return CONFIG.defenses[wildcards.cell.split("-", 1)[1]]


def spec(entry):
    """An entry of the configuration as plain values: params that are not are compared wrongly."""
    return entry.model_dump(mode="json")


def module_of(package, entry):
    return module_name(package, entry.kind)


def attacks_of(study):
    return list(CONFIG.attacks) if study.attacks is None else study.attacks


def dataset_of(wildcards):
    return f"results/data/{CONFIG.studies[wildcards.study].dataset}.npz"


def observations_of(wildcards, role):
    """The file of answers that an attack reads, for one role."""
    query = CONFIG.attacks[wildcards.attack].reads
    folder = {"labels": "answers"}.get(kind := observation(CONFIG.queries[query]), kind)
    return f"results/{folder}/{wildcards.study}/{wildcards.cell}/{wildcards.seeds}/{role}/{query}.npz"


def shadow_roles(wildcards):
    return [
        f"shadow{number}" for number in range(CONFIG.studies[wildcards.study].shadows)
    ]


def of_attacks(template, study, attacks):
    """Paths of every cell, block of seeds and attack of a study."""
    entry = CONFIG.studies[study]
    return expand(
        template, study=study, cell=cells(entry), seeds=entry.seeds, attack=attacks
    )
