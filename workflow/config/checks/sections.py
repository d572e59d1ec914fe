"""Whether entries fit each other: one line for each mistake, with key, value and fix."""

from collections.abc import Iterator
from os.path import exists, expanduser

from workflow.config.checks.defenses import check_defenses
from workflow.config.checks.given import check_limits, check_targets
from workflow.config.checks.plugins import check_plugins
from workflow.config.checks.studies import check_studies
from workflow.config.messages import unknown, where
from workflow.config.plugin_source_reader import read_attribute
from workflow.config.schema.attacks import Rule
from workflow.config.schema.configuration import SECTIONS, Config
from workflow.config.schema.datasets import Archived, Csv, Npz
from workflow.config.schema.query import Query


def mistakes(config: Config) -> list[str]:
    """Lines for all mistakes in a `Config`, stage by stage: each needs the stages before it to be sound."""
    stages = [
        [check_plugins, check_datasets, check_targets, check_options],
        [check_attacks, check_defenses, check_studies],
        [check_figures, check_limits],
    ]
    for stage in stages:
        if found := [problem for check in stage for problem in check(config)]:
            return list(dict.fromkeys(found))
    return []


def check_options(config: Config) -> Iterator[str]:
    """Options of an entry that do not go together."""
    for section in SECTIONS:
        for name, entry in getattr(config, section).items():
            for option, problem in entry.mistakes():
                value = f"{getattr(entry, option)}: " if option not in entry.unshown and hasattr(entry, option) else ""
                yield f"{section}.{name}.{option}: {value}{problem}"


def check_figures(config: Config) -> Iterator[str]:
    for name, figure in config.figures.items():
        if figure.study not in config.studies:
            yield unknown(f"figures.{name}.study", figure.study, config.studies, "studies")
        else:
            yield from (f"figures.{name}.{line}" for line in figure.mistakes_in(config))


def check_datasets(config: Config) -> Iterator[str]:
    for name, dataset in config.datasets.items():
        if isinstance(dataset, Archived) and dataset.path and not _is_there(dataset.path):
            problem = f"no such file or folder{where(dataset.path)}"
            yield f"datasets.{name}.path: {dataset.path}: {problem}; mend it, or remove it to fetch"
        if isinstance(dataset, Npz) and len(dataset.inputs) != len(dataset.classes):
            stated = f"datasets.{name}.classes: {dataset.classes}"
            yield f"{stated}: expected one array for each of {dataset.inputs}; name as many"
        elif isinstance(dataset, Npz | Csv):
            yield from _check_file(f"datasets.{name}", dataset)


def _is_there(path: str) -> bool:
    try:
        return exists(expanduser(path))
    except ValueError:  # a null after "~"
        return False


def _check_file(key: str, dataset: Npz | Csv) -> Iterator[str]:
    try:
        dataset.check()
    except OSError as error:
        wanted = f"give the path of a .{dataset.kind} file"
        yield f"{key}.path: {dataset.path}: {error.strerror}{where(dataset.path)}; {wanted}"
    except ValueError as error:
        yield f"{key}: {error}"


def check_attacks(config: Config) -> Iterator[str]:
    for name, attack in config.attacks.items():
        key = f"attacks.{name}"
        if attack.reads not in config.queries:
            yield unknown(f"{key}.reads", attack.reads, config.queries, "queries")
            continue
        query = config.queries[attack.reads]
        accepted = read_attribute(attack.module, attack.target, "reads")
        if accepted and query.observation not in accepted:
            yield (
                f"{key}.reads: {attack.reads}: yields {query.observation}, a {attack.kind} attack reads "
                f"{' or '.join(accepted)}; choose another query set or kind"
            )
        yield from _check_budgets(key, attack, query)
        if attack.calibrates and (attack.budget or attack.budgets) and len(query.magnitudes()) > 1:
            yield (
                f"{key}.budgets: {attack.budgets}: queries.{attack.reads} asks one magnitude after the other, and a "
                f"{attack.kind} attack reads all together; give it a query set of one magnitude"
            )
        if not getattr(attack, "with_input", True) and not query.perturbs:
            yield f"{key}.with_input: false: queries.{attack.reads} asks no other input; remove this, or read another"
        if attack.compares and query.crafted_from == "pool":
            yield (
                f"{key}.reads: {attack.reads}: is not asked of all models alike, as each half of a pool makes the "
                f"queries of the other, and a {attack.kind} attack compares models; use kind kept"
            )
        if attack.needs_population and not getattr(query, "population", 1):
            yield f"{key}.reads: {attack.reads}: has no population, which {attack.kind} needs; set its population"
        if attack.needs_references and not query.n_references():
            yield (
                f"{key}.reads: {attack.reads}: starts at no shadows, whose distance a {attack.kind} attack compares "
                "with; let it read a query set of kind hopskipjump with schedule: warm"
            )
        if attack.needs_references and getattr(query, "shift_pixels", 0):
            yield (
                f"{key}.reads: {attack.reads}: searches shifted copies too, which a {attack.kind} attack does not "
                "read; set shift_pixels: 0, or let it read a query set without copies"
            )
        if query.n_relabelled() < attack.needs_relabelled:
            needs = f"of the relabelled models of which a {attack.kind} attack needs {attack.needs_relabelled}"
            has = f"has {query.n_relabelled() or 'none'} {needs}"
            fix = "raise its relabelled" if hasattr(query, "relabelled") else "read a query set of kind directions"
            yield f"{key}.reads: {attack.reads}: {has}; {fix}"
        if attack.needs_random_inputs and not getattr(query, "random_inputs", 0):
            yield (
                f"{key}.threshold: random_inputs: queries.{attack.reads} has none; set its random_inputs, as to 100, "
                "or read a query set of kind hopskipjump that has some"
            )
        if query.stops_early() and not attack.decides:
            yield f"{key}.kind: {attack.kind}: queries.{attack.reads} stops early, which only kind distance can read"


def _check_budgets(key: str, attack: Rule, query: Query) -> Iterator[str]:
    asked, copies = query.cost(), query.n_copies()
    for field, budgets in (("budget", [attack.budget]), ("budgets", attack.budgets)):
        for budget in filter(None, budgets):
            if not query.counts_labels:
                yield f"{key}.{field}: {budget}: queries.{attack.reads} takes gradients, and all of them; set its steps"
            elif budget > asked:
                yield f"{key}.{field}: {budget}: queries.{attack.reads} asks only {asked}; lower this or raise that"
            if budget < copies:
                yield f"{key}.{field}: {budget}: queries.{attack.reads} has {copies} copies; use at least that"
            if query.stops_early():
                yield f"{key}.{field}: {budget}: queries.{attack.reads} stops for its own threshold; remove this"
