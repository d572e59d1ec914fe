"""What the entries of a configuration ask of each other: one line for each mistake, with key, value and fix."""

import math
from os import getcwd
from os.path import exists, expanduser, isabs

from lmia.data.npz import describe
from lmia.plugins import module_name
from workflow import schema
from workflow.defense_checks import check_defenses
from workflow.entries import PLUGINS, observation, stops_early, suggest, unknown
from workflow.figure_checks import check_figures
from workflow.harness.fingerprint import ROOT, find, is_installed, locate
from workflow.sources import flaw, flaw_of_files, read_arguments, read_constant, read_reads
from workflow.study_checks import check_studies


def mistakes(config):
    """Lines for all mistakes in a `schema.Config`, stage by stage: each needs the stages before it to be sound."""
    stages = [
        [check_custom, check_datasets, check_models, check_queries],
        [check_attacks, check_defenses, check_studies],
        [check_figures],
    ]
    for stage in stages:
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
            if entry.kind.partition(".")[0] == "lmia":
                yield f"{key}.kind: {entry.kind}: of lmia itself, whose kinds have no dot; {_own(package, entry.kind)}"
                continue
            if (file := locate(module)) and is_installed(file):
                yield f"{key}.kind: {entry.kind}: an installed package, no plug-in; docs/how-to/extend.md has the ways"
                continue
            if find(module) is None:
                yield f"{key}.kind: {entry.kind}: {_nowhere(module)}"
                continue
            if problem := flaw(module):
                yield f"{key}.kind: {entry.kind}: {problem}"
                continue
            if problem := flaw_of_files(module):
                yield f"{key}.kind: {entry.kind}: {problem}"
                continue
            arguments = read_arguments(module, target)
            if arguments is None:
                yield f"{key}.kind: {entry.kind}: the module defines no {target}; see docs/how-to/extend.md"
                continue
            for option in entry.options():
                if option not in arguments and not (section == "defenses" and option == "over"):
                    yield f"{key}.{option}: unknown key; {suggest(option, arguments)}"


def _nowhere(module):
    """Why a module's source is not found, although its file may lie beside the Snakefile."""
    if file := locate(module):
        return f"{file} has no source that could be read; put its .py file beside the Snakefile or on PYTHONPATH"
    first, beside = module.partition(".")[0], ROOT / f"{module.replace('.', '/')}.py"
    if beside.is_file() and (other := locate(first)) and not other.is_relative_to(ROOT):
        return f"{other.parent} stands in front of {beside.parent}; add an __init__.py there, or rename one of them"
    return "no such module; put its file beside the Snakefile or on PYTHONPATH"


def _own(package, kind):
    """What to write in place of a dotted path into lmia."""
    known = [file.stem for file in find(f"lmia.{package}").parent.glob("[a-z]*.py")]
    return suggest(kind.rpartition(".")[2], sorted(known))


def check_datasets(config):
    for name, dataset in config.datasets.items():
        known = read_constant("lmia.data.torchvision", "N_EXAMPLES")
        if dataset.kind == "torchvision" and dataset.name in ("CIFAR10", "CIFAR100"):
            yield f"datasets.{name}.name: {dataset.name}: a pickle there; use kind {dataset.name.lower()} instead"
        elif dataset.kind == "torchvision" and dataset.name not in known:
            yield f"datasets.{name}.name: {dataset.name}: unknown data set; {suggest(dataset.name, list(known))}"
        if isinstance(dataset, schema.Archived) and dataset.path and not _is_there(dataset.path):
            where = f"no such file or folder{_where(dataset.path)}"
            yield f"datasets.{name}.path: {dataset.path}: {where}; mend it, or remove it to fetch"
        if dataset.kind == "npz":
            yield from _check_npz(f"datasets.{name}", dataset)


def _where(path):
    """Words for the folder in which a path is looked for."""
    return "" if isabs(path) or path.startswith("~") else f" in {getcwd()}"


def _is_there(path):
    try:
        return exists(expanduser(path))
    except ValueError:  # a null after "~"
        return False


def _check_npz(key, dataset):
    if len(dataset.inputs) != len(dataset.classes):
        yield f"{key}.classes: {dataset.classes}: expected one array for each of {dataset.inputs}; name as many"
        return
    try:
        describe(**dataset.options())
    except OSError as error:
        yield f"{key}.path: {dataset.path}: {error.strerror}{_where(dataset.path)}; give the path of a .npz file"
    except ValueError as error:
        yield f"{key}: {error}"


def check_models(config):
    for name, model in config.models.items():
        if model.kind == "wide_resnet" and (model.depth - 4) % 6:
            yield f"models.{name}.depth: {model.depth}: three groups of equal blocks need 6 k + 4; use 10, 16, 22 or 28"


def check_queries(config):
    for name, query in config.queries.items():
        if query.kind == "rotation" and query.angles == "all" and any(r != round(r) for r in query.degrees):
            yield f"queries.{name}.degrees: {query.degrees}: angles: all goes in steps of 1; use whole degrees"
        if query.kind == "mixed" and len(query.flips) != len(query.sigmas):
            yield f"queries.{name}.flips: {query.flips}: expected one for each of {query.sigmas}; give as many"
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


def check_attacks(config):
    for name, attack in config.attacks.items():
        key = f"attacks.{name}"
        if attack.reads not in config.queries:
            yield unknown(f"{key}.reads", attack.reads, config.queries, "queries")
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
            if query.kind == "white_box":
                yield f"{key}.{field}: {budget}: queries.{attack.reads} takes gradients, and all of them; set its steps"
            elif budget > asked:
                yield f"{key}.{field}: {budget}: queries.{attack.reads} asks only {asked}; lower this or raise that"
            if budget < copies:
                yield f"{key}.{field}: {budget}: queries.{attack.reads} has {copies} copies; use at least that"
            if stops_early(query):
                yield f"{key}.{field}: {budget}: queries.{attack.reads} stops for its own threshold; remove this"
