# The checked configuration, and what each rule's inputs and params are made of: its own entries alone.
# A run is a {study}, a {cell} (n_train and defense, as n200-none) and a block of {seeds} (as 0-5).
import functools
import os
import re

from snakemake.exceptions import WorkflowError

from lmia.plugins import module_name
from workflow.entries import (
    attacks_of,
    files_read,
    gap_attack,
    knows_masks,
    observation,
    places,
    stops_early,
    target_split,
    trained_cell,
)
from workflow.config import ConfigError, check, plug_ins, read_layers
from workflow.harness.bytecode import check_by_hash
from workflow.harness.fingerprint import file_hash, fingerprint
from workflow.schema import Unpublished


def sound(step, *arguments):
    """What a step of reading the configuration gives, or an error of Snakemake's own kind, which shows as it is."""
    try:
        return step(*arguments)
    except ConfigError as error:
        raise WorkflowError(f"the configuration cannot be run:\n{error}") from None


# Snakemake has read these by itself, by the rules of YAML 1.1, and kept one of the keys that are there twice. Jobs in a
# cluster are Snakemakes that get the same files and arguments.
whole, files_below = sound(
    read_layers,
    workflow.overwrite_configfiles,
    workflow.config_settings.config_args or [],
)
config.clear()
config.update(whole)
workflow.configfiles += files_below  # as `configfile:` does, for reports and archives
CONFIG = sound(check, config)
check_by_hash(file for own in plug_ins(CONFIG).values() for file in own)

# Jobs read these there and not among their params: how often they save, and what they share, changes no result,
# and a machine without a GPU is not to repeat what a GPU made.
config["files"] = {}  # what `files` gives -> paths
config["save_every"] = CONFIG.save_every
config["device"] = CONFIG.device
config["cache"] = CONFIG.cache or os.environ.get("LMIA_CACHE")

# Of a query set: how the model is run, and not what is sent to it.
PRECISION_KEYS = ("precision", "most_disagreement")


def queries_yielding(kind):
    return [
        name for name, query in CONFIG.queries.items() if observation(query) == kind
    ]


def any_of(names):
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    study=any_of(CONFIG.studies),
    cell=r"n\d+-[^/]+",
    seeds=r"\d+(-\d+)?",
    role=r"target|shadow\d+",
    attack=any_of(CONFIG.attacks),
    figure=any_of(CONFIG.figures),
    exhibit=any_of(CONFIG.exhibits),


def growing(amount):
    """A resource of which every retry gets more: what ran out of it has another chance."""
    return lambda wildcards, attempt: amount * attempt


def refuse_more_gpus_than_there_are():
    """Snakemake would cut a request silently down to `--resources gpu=N`, and the job would find fewer than it needs."""
    there = workflow.global_resources.get("gpu").value
    if there is None:
        return
    for declared in workflow.rules:
        resource = declared.resources.get("gpu")
        asked = resource.raw  # as declared or as --set-resources says
        more = f"allow more (--resources gpu={asked})"
        if resource.is_evaluable():  # what that comes to, only jobs know
            asked, more = asked or "a function's result of", "ask for a plain number"
        elif not isinstance(asked, int) or asked <= there:
            continue
        raise WorkflowError(
            f"{declared.name} asks for {asked} GPUs, and --resources or the profile allows {there}: ask for fewer "
            f"(--set-resources {declared.name}:gpu={there}) or {more}"
        )


@functools.cache
def code(stage, *modules):
    """Hashes of a stage's script and of all that it imports; `modules` are those that the config chooses.

    Once for all jobs of a kind: the walk over imports would take longer than all else that a plan needs.
    """
    return fingerprint(f"workflow/scripts/{stage}.py", *modules)


def cells(study):
    return [f"n{n}-{defense}" for n in study.n_train for defense in study.defenses]


def n_train(wildcards):
    return int(wildcards.cell.split("-", 1)[0][1:])


def n_nonmembers(wildcards):
    return CONFIG.studies[wildcards.study].n_nonmembers or n_train(wildcards)


def evaluated(wildcards):
    return CONFIG.studies[wildcards.study].evaluated


def defense(wildcards):
    return CONFIG.defenses[wildcards.cell.split("-", 1)[1]]


def mask_spec(wildcards):
    """The defense as confidences see it, without whose models it is laid over."""
    return {
        key: value for key, value in spec(defense(wildcards)).items() if key != "over"
    }


def trained(cell):
    return trained_cell(CONFIG, cell)


def of_models(template):
    """An input function: the path for the cell whose models are asked."""
    return lambda wc: template.format(**{**dict(wc.items()), "cell": trained(wc.cell)})


def spec(entry):
    """An entry of the configuration as plain values: params that are not are compared wrongly."""
    return entry.model_dump(mode="json")


def files(*entries):
    """Hashes of the users' own files that entries of the configuration read, with the names that a plug-in knows them by.

    Jobs find the files by these. Built-in data sets are verified against a hash of their own when they are read.
    """
    found = set()
    for name, file in (pair for entry in entries for pair in files_read(entry)):
        shown = " ".join(filter(None, [file_hash(file), name]))
        found.add(shown)
        paths = config["files"].setdefault(shown, [])
        paths += [] if file in paths else [file]  # two data sets may have copies
    return sorted(found)


def model_files(wildcards, *others):
    """Those of the model, which is built again by all who ask it, and of other entries."""
    return files(CONFIG.models[CONFIG.studies[wildcards.study].model], *others)


def dataset_spec(wildcards):
    """A data set without where its files lie: a copy elsewhere is the same."""
    entry = CONFIG.datasets[wildcards.dataset]
    return {
        key: value for key, value in spec(entry).items() if key not in places(entry)
    }


def unhashed_root(wildcards):
    """Where files lie that are known by no hash, as torchvision's are not: another folder may have others."""
    entry = CONFIG.datasets[wildcards.dataset]
    return entry.root if entry.kind == "torchvision" else None


def known_original(wildcards):
    """No input, but an error before any job where the data set's job could only fail."""
    entry = CONFIG.datasets[wildcards.dataset]
    if isinstance(entry, Unpublished) and entry.sha256 is None:
        raise WorkflowError(
            f"datasets.{wildcards.dataset}.sha256: missing; nobody published one of this archive, so it is not read "
            f'unseen: `python -c "from lmia.data import {entry.kind}; {entry.kind}.load()"` fetches it and tells what '
            "it has; state that if you trust it (docs/reference/datasets.md)"
        )
    return []


def module_of(package, entry):
    return module_name(package, entry.kind)


def dataset_of(wildcards):
    return f"results/data/{CONFIG.studies[wildcards.study].dataset}.npz"


def observations_of(wildcards, role):
    """The file of answers that an attack reads, for one role; the shadows' are under a mask only if it knows of it."""
    attack = CONFIG.attacks[wildcards.attack]
    query = attack.reads
    folder = {"labels": "answers"}.get(kind := observation(CONFIG.queries[query]), kind)
    masked = kind == "confidences" and (role == "target" or knows_masks(attack))
    cell = wildcards.cell if masked else trained(wildcards.cell)
    return f"results/{folder}/{wildcards.study}/{cell}/{wildcards.seeds}/{role}/{query}.npz"


def shadow_roles(wildcards):
    return [
        f"shadow{number}" for number in range(CONFIG.studies[wildcards.study].shadows)
    ]


def stopping_of(wildcards):
    """When the searches of the target may stop; the shadows' run to the end, and a query set may want no stopping."""
    if wildcards.role != "target" or CONFIG.queries[wildcards.query].stop_error is None:
        return []
    return f"results/stopping/{wildcards.study}/{wildcards.cell}/{wildcards.seeds}/{wildcards.query}.npz"


def perturbation_spec(query):
    """What is sent, without how the model is run."""
    return {
        key: value for key, value in spec(query).items() if key not in PRECISION_KEYS
    }


def precision_spec(wildcards):
    entry = spec(CONFIG.queries[wildcards.query])
    return {key: entry[key] for key in PRECISION_KEYS if key in entry}


def search_spec(wildcards):
    """A search without when it stops: the shadows' run to the end, and the target's have that from its own file."""
    entry = spec(CONFIG.queries[wildcards.query])
    return {key: value for key, value in entry.items() if key != "stop_error"}


def shadow_splits(wildcards):
    run = f"{wildcards.study}/{trained(wildcards.cell)}/{wildcards.seeds}"
    return [f"results/splits/{run}/{role}.npz" for role in shadow_roles(wildcards)]


def of_attacks(template, study, attacks):
    """Paths of every cell, block of seeds and attack of a study."""
    entry = CONFIG.studies[study]
    return expand(
        template, study=study, cell=cells(entry), seeds=entry.seeds, attack=attacks
    )


def first_split(study):
    """The target's split of the first models of a study."""
    entry = CONFIG.studies[study]
    return (
        f"results/splits/{study}/{trained(cells(entry)[0])}/{entry.seeds[0]}/target.npz"
    )


def source_model(wildcards):
    """The model that training starts from, where the defense names a study for it."""
    if (source := getattr(defense(wildcards), "source", None)) is None:
        return []
    study = CONFIG.studies[source]
    return f"results/models/{source}/{trained(cells(study)[0])}/{study.seeds[0]}/target.npz"


def model_params(wildcards):
    """What a model is: read by training, and by all who build it again to query it."""
    return spec(CONFIG.models[CONFIG.studies[wildcards.study].model])


def model_module(wildcards):
    return module_of("models", CONFIG.models[CONFIG.studies[wildcards.study].model])


def row_key(wildcards):
    """The columns of metrics.csv that are the same for a whole run of an attack."""
    study = CONFIG.studies[wildcards.study]
    return {
        "study": wildcards.study,
        "dataset": study.dataset,
        "n_train": n_train(wildcards),
        "model": study.model,
        "defense": wildcards.cell.split("-", 1)[1],
    }


def access(wildcards):
    kind = observation(CONFIG.queries[CONFIG.attacks[wildcards.attack].reads])
    return {"confidences": "confidence", "white_box": "white-box"}.get(kind, "label")


def outliers_of(wildcards):
    """Which of the target's points are outliers, where the study wants to know."""
    if CONFIG.studies[wildcards.study].outliers is None:
        return []
    return f"results/outliers/{wildcards.study}/{trained(wildcards.cell)}/{wildcards.seeds}.npz"


def study_measures(wildcards):
    study = CONFIG.studies[wildcards.study]
    return of_attacks(
        "results/measures/{study}/{cell}/{seeds}/{attack}.csv",
        wildcards.study,
        attacks_of(CONFIG, study),
    ) + of_attacks(
        "results/model_measures/{study}/{cell}/{seeds}.csv", wildcards.study, [""]
    )
