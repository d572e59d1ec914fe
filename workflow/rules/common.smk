# The checked configuration, and what each rule's inputs and params are made of: its own entries alone.
# A run is a {study}, a {cell} (n_train and defense, as n200-none) and a block of {seeds} (as 0-5).
from snakemake.exceptions import WorkflowError

from lmia.plugins import module_name
from workflow.checks import observation
from workflow.config import ConfigError, check
from workflow.fingerprint import fingerprint

try:
    CONFIG = check(config)
except ConfigError as error:
    raise WorkflowError(f"the configuration cannot be run:\n{error}")


# Of a query set: how the model is run, and not what is sent to it.
PRECISION_KEYS = ("precision", "most_disagreement")


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
    run = f"{wildcards.study}/{wildcards.cell}/{wildcards.seeds}"
    return [f"results/splits/{run}/{role}.npz" for role in shadow_roles(wildcards)]


def of_attacks(template, study, attacks):
    """Paths of every cell, block of seeds and attack of a study."""
    entry = CONFIG.studies[study]
    return expand(
        template, study=study, cell=cells(entry), seeds=entry.seeds, attack=attacks
    )


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
    return "confidence" if kind == "confidences" else "label"


def all_measures(wildcards):
    files = []
    for name, study in CONFIG.studies.items():
        files += of_attacks(
            "results/measures/{study}/{cell}/{seeds}/{attack}.csv",
            name,
            attacks_of(study),
        )
        files += of_attacks(
            "results/model_measures/{study}/{cell}/{seeds}.csv", name, [""]
        )
    return files


def figures_of(*kinds):
    return any_of(
        name for name, figure in CONFIG.figures.items() if figure.kind in kinds
    )


def figure_output():
    return report(
        "results/figures/{figure}.png",
        caption="../report/figure.rst",
        category="Figures",
        subcategory="{figure}",
        labels={"figure": "{figure}"},
    )


def figure_spec(wildcards):
    figure = CONFIG.figures[wildcards.figure]
    if figure.kind == "gallery":
        return spec(figure)
    return spec(figure) | {
        "attacks": figure.attacks or attacks_of(CONFIG.studies[figure.study])
    }


def figure_code(stage):
    return lambda wc: code(stage, f"lmia.figures.{CONFIG.figures[wc.figure].kind}")


def figure_cell(figure):
    """The one cell that a figure of single models shows."""
    study = CONFIG.studies[figure.study]
    return (
        f"n{figure.n_train or study.n_train[0]}-{figure.defense or study.defenses[0]}"
    )


def figure_scores(wildcards):
    figure = CONFIG.figures[wildcards.figure]
    return expand(
        "results/scores/{study}/{cell}/{seeds}/{attack}.npz",
        study=figure.study,
        cell=figure_cell(figure),
        seeds=CONFIG.studies[figure.study].seeds,
        attack=figure_spec(wildcards)["attacks"],
    )


def figure_splits(wildcards):
    figure = CONFIG.figures[wildcards.figure]
    return expand(
        "results/splits/{study}/{cell}/{seeds}/target.npz",
        study=figure.study,
        cell=figure_cell(figure),
        seeds=CONFIG.studies[figure.study].seeds,
    )


def gallery_queries(wildcards):
    return {
        name: CONFIG.queries[name] for name in CONFIG.figures[wildcards.figure].queries
    }
