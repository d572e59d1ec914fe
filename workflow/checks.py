"""What the entries of a configuration ask of each other: one line for each mistake, with key, value and fix."""

import difflib
import math

from lmia.plugins import module_name
from workflow import schema
from workflow.fingerprint import find
from workflow.seeds import seed_list
from workflow.sources import read_arguments, read_constant, read_reads

OBSERVATIONS = {"hopskipjump": "distances", "confidences": "confidences"}  # every other query kind: labels
# Per section: package of the built-in modules, and the function or class whose arguments are the options.
PLUGINS = {
    "datasets": ("data", "load"),
    "models": ("models", "build"),
    "defenses": ("defenses", "Defense"),
    "queries": ("perturbations", "Perturbation"),
    "attacks": ("attacks", "Attack"),
}


def observation(query):
    """What a query set yields: "labels", "distances" or "confidences"."""
    return OBSERVATIONS.get(query.kind, "labels")


def suggest(word, known):
    """How to mend a word that is none of the known ones."""
    if not known:
        return "this kind takes no options; remove it"
    close = difflib.get_close_matches(str(word), known, n=1)
    return f"did you mean {close[0]}?" if close else f"expected one of: {', '.join(known)}"


def _unknown(key, name, known, section):
    return f"{key}: {name}: not defined under {section}; {suggest(name, list(known))}"


def mistakes(config):
    """Lines for all mistakes in a `schema.Config`, stage by stage: each needs the stages before it to be sound."""
    for stage in ([check_custom, check_datasets, check_queries], [check_attacks, check_studies], [check_figures]):
        if found := [problem for check in stage for problem in check(config)]:
            return list(dict.fromkeys(found))
    return []


def check_custom(config):
    """Dotted paths must lead to a module that has what its section needs, and takes the options given."""
    for section, (package, target) in PLUGINS.items():
        for name, entry in getattr(config, section).items():
            if not isinstance(entry, schema.Custom):
                continue
            key, module = f"{section}.{name}", module_name(package, entry.kind)
            if find(module) is None:
                yield f"{key}.kind: {entry.kind}: no such module; put its file beside the Snakefile or on PYTHONPATH"
                continue
            arguments = read_arguments(module, target)
            if arguments is None:
                yield f"{key}.kind: {entry.kind}: the module defines no {target}; see docs/extending.md"
                continue
            for option in entry.options():
                if option not in arguments:
                    yield f"{key}.{option}: unknown key; {suggest(option, arguments)}"


def check_datasets(config):
    for name, dataset in config.datasets.items():
        known = read_constant("lmia.data.torchvision", "N_EXAMPLES")
        if dataset.kind == "torchvision" and dataset.name not in known:
            yield f"datasets.{name}.name: {dataset.name}: unknown data set; {suggest(dataset.name, list(known))}"


def check_queries(config):
    for name, query in config.queries.items():
        if query.kind != "hopskipjump":
            continue
        one = schema.LEAST_SEARCH[query.schedule]
        if query.budget < (least := one * query.n_copies()):
            yield (
                f"queries.{name}.budget: {query.budget}: to reach the boundary once, each of {query.n_copies()} copies "
                f"needs {one} queries; use at least {least}"
            )
        if stops_early(query) and query.copies:
            yield (
                f"queries.{name}.stop_error: {query.stop_error}: only one distance has a threshold to stop at; "
                "remove this or copies"
            )


def stops_early(query):
    """Whether searches end once they are settled: then they answer for one threshold, and have no order."""
    return getattr(query, "stop_error", None) is not None


def check_attacks(config):
    for name, attack in config.attacks.items():
        key = f"attacks.{name}"
        if attack.reads not in config.queries:
            yield _unknown(f"{key}.reads", attack.reads, config.queries, "queries")
            continue
        query = config.queries[attack.reads]
        accepted = read_reads(module_name("attacks", attack.kind))
        if accepted and observation(query) not in accepted:
            yield (
                f"{key}.reads: {attack.reads}: yields {observation(query)}, a {attack.kind} attack reads "
                f"{' or '.join(accepted)}; choose another query set or kind"
            )
        yield from _check_budgets(key, attack, query)
        if stops_early(query) and attack.kind != "distance":
            yield f"{key}.kind: {attack.kind}: queries.{attack.reads} stops early, which only kind distance can read"


def _check_budgets(key, attack, query):
    asked = query.cost() if hasattr(query, "cost") else math.inf
    copies = query.n_copies() if query.kind == "hopskipjump" else 1
    for field, budgets in (("budget", [attack.budget]), ("budgets", attack.budgets)):
        for budget in filter(None, budgets):
            if budget > asked:
                yield f"{key}.{field}: {budget}: queries.{attack.reads} asks only {asked}; lower this or raise that"
            if budget < copies:
                yield f"{key}.{field}: {budget}: queries.{attack.reads} has {copies} copies; use at least that"
            if stops_early(query):
                yield f"{key}.{field}: {budget}: queries.{attack.reads} stops for its own threshold; remove this"


def check_studies(config):
    for name, study in config.studies.items():
        key = f"studies.{name}"
        for field, section in (("dataset", config.datasets), ("model", config.models)):
            if getattr(study, field) not in section:
                yield _unknown(f"{key}.{field}", getattr(study, field), section, f"{field}s")
        for defense in study.defenses:
            if defense not in config.defenses:
                yield _unknown(f"{key}.defenses", defense, config.defenses, "defenses")
        for attack in study.attacks or []:
            if attack not in config.attacks:
                yield _unknown(f"{key}.attacks", attack, config.attacks, "attacks")
        yield from _check_seeds(key, study)
        yield from _check_folds(config, study)
        if study.dataset in config.datasets:
            yield from _check_size(key, study, config.datasets[study.dataset])
            yield from _check_shape(key, config, study)


def attacks_of(config, study):
    """Names of the attacks that run in a study."""
    return list(config.attacks) if study.attacks is None else study.attacks


def _check_seeds(key, study):
    seen = set()
    for block in study.seeds:
        seeds = seed_list(block)
        if not seeds:
            yield f"{key}.seeds: {block}: an empty range; write the smaller seed first"
        if seen & set(seeds):
            yield f"{key}.seeds: {block}: seed {min(seen & set(seeds))} is in another block too; let blocks not overlap"
        seen |= set(seeds)


def _check_folds(config, study):
    members = min(study.n_train) * study.shadows
    for name in attacks_of(config, study):
        folds = getattr(config.attacks.get(name), "folds", 0)
        if isinstance(folds, int) and folds > members:
            yield f"attacks.{name}.folds: {folds}: more than the {members} members of the shadow; use at most {members}"


def _fact(dataset, name):
    """What a data set's module states of it in a constant, perhaps one per `name`; None where it does not."""
    value = read_constant(module_name("data", dataset.kind), name)
    return value.get(getattr(dataset, "name", None)) if isinstance(value, dict) else value


def _check_size(key, study, dataset):
    """n_train against the data set's size, where its module states that as N_EXAMPLES."""
    size = _fact(dataset, "N_EXAMPLES")
    for n in study.n_train:
        if size and 4 * n > size:
            yield (
                f"{key}.n_train: {n}: four disjoint splits need {4 * n} examples, {study.dataset} has {size}; "
                f"use at most {size // 4}"
            )


def _check_shape(key, config, study):
    """Training and query sets against the shape of an input, where the data set's module states that as SHAPE."""
    shape = _fact(config.datasets[study.dataset], "SHAPE")
    if shape and len(shape) != 3 and study.training.shifts:
        yield f"{key}.training.shifts: {study.training.shifts}: {study.dataset} has no images to move; set it to 0"
    names = {config.attacks[name].reads for name in attacks_of(config, study) if name in config.attacks}
    for name in sorted(names & config.queries.keys()) if shape else []:
        query = config.queries[name]
        moves = query.kind in ("rotation", "translation") or getattr(query, "copies", 0)
        if moves and len(shape) != 3:
            yield f"queries.{name}: moves images, {study.dataset} has none; leave out the attacks that read it"
        if query.kind == "bernoulli" and max(query.flips) > (features := math.prod(shape)):
            yield f"queries.{name}.flips: {max(query.flips):g}: {study.dataset} has only {features} features; lower it"


def check_figures(config):
    for name, figure in config.figures.items():
        key = f"figures.{name}"
        if figure.study not in config.studies:
            yield _unknown(f"{key}.study", figure.study, config.studies, "studies")
            continue
        yield from _check_cell(key, figure, config.studies[figure.study])
        yield from _check_shown(key, config, figure)
        if figure.kind == "gallery" and not figure.queries:
            yield f"{key}.queries: []: a gallery shows query sets; name at least one"
        for query in figure.queries:
            if query not in config.queries:
                yield _unknown(f"{key}.queries", query, config.queries, "queries")
            elif observation(config.queries[query]) != "labels" or config.queries[query].kind == "original":
                yield f"{key}.queries: {query}: has no perturbed inputs to show; name query sets that perturb"


def _check_shown(key, config, figure):
    """The attacks of a figure: its study must run them, and they must have what the figure shows."""
    offered = attacks_of(config, config.studies[figure.study])
    for field in ("attacks", "lines"):
        for attack in getattr(figure, field) or []:
            if attack not in offered:
                yield _unknown(f"{key}.{field}", attack, offered, f"the attacks of {figure.study}")
    shown = [attack for attack in figure.attacks or offered if attack in offered]
    if figure.kind == "histogram" and len(shown) != 1:
        yield f"{key}.attacks: {', '.join(shown)}: a histogram shows one attack; name one"
    for attack in shown if figure.kind in ("roc", "histogram") else []:
        if stops_early(config.queries[config.attacks[attack].reads]):
            yield f"{key}.attacks: {attack}: reads searches that stop early, so its scores have no order; leave it out"
    for attack in shown if figure.kind == "sweep" else []:
        reads = config.attacks[attack].reads
        if observation(config.queries[reads]) != "labels" or config.queries[reads].kind == "original":
            yield f"{key}.attacks: {attack}: reads {reads}, without magnitudes to sweep; name others"


def _check_cell(key, figure, study):
    """Figures of single models must say which, where a study has several."""
    for field, offered in (("n_train", study.n_train), ("defense", study.defenses)):
        chosen, names = getattr(figure, field), ", ".join(map(str, offered))
        if chosen is not None and chosen not in offered:
            yield f"{key}.{field}: {chosen}: {figure.study} has only {names}; choose one of these"
        elif chosen is None and len(offered) > 1 and figure.kind not in ("bars", "gallery"):
            yield f"{key}.{field}: missing; {figure.study} has {names}: choose one of these"
