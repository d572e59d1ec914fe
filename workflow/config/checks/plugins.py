"""Whether plug-ins can be run: a dotted path leads to a module with what its section needs, that takes the options."""

from collections.abc import Iterator
from math import isfinite
from pathlib import Path

from workflow.config.messages import suggest
from workflow.config.plugin_contracts import broken_contract
from workflow.config.plugin_source_reader import flaw, flaw_of_files, read_arguments
from workflow.config.schema.base import Custom
from workflow.config.schema.configuration import SECTIONS, Config
from workflow.config.schema.defenses import CustomDefense
from workflow.config.schema.query import CustomQuery
from workflow.harness.fingerprint import ROOT, find, is_installed, locate


def check_plugins(config: Config) -> Iterator[str]:
    """Lines "key: value: what is wrong" for all plug-ins of a `Config`."""
    for section in SECTIONS:
        for name, entry in getattr(config, section).items():
            if not isinstance(entry, Custom):
                continue
            if problem := _problem(entry):
                yield f"{section}.{name}.kind: {entry.kind}: {problem}"
                continue
            arguments = read_arguments(entry.module, entry.target) or []
            for option in entry.options():
                if option not in arguments and not (section == "defenses" and option == "over"):
                    yield f"{section}.{name}.{option}: unknown key; {suggest(option, arguments)}"
            named = isinstance(entry, CustomDefense | CustomQuery)
            wrong = list(_check_constant(f"{section}.{name}", entry, arguments)) if named else []
            yield from wrong
            # A constant says more exactly than a contract what a class lacks.
            if not wrong and (problem := broken_contract(entry.module, entry.target, entry.package)):
                yield f"{section}.{name}.kind: {entry.kind}: {problem}"


def _check_constant(key: str, entry: CustomDefense | CustomQuery, arguments: list[str]) -> Iterator[str]:
    """The option that STRENGTH or MAGNITUDES of the module names: figures and claims read its numbers."""
    if isinstance(entry, CustomDefense):
        constant, option, wanted = "STRENGTH", entry.strength_in(), "a number"
    else:
        constant, option, wanted = "MAGNITUDES", entry.magnitudes_in(), "a list of numbers"
    if option is None:
        return
    value = entry.options().get(option)
    numbers = value if isinstance(value, list) else [value]
    if option not in arguments:
        says = f"{constant} names {option}, which {entry.target} does not take"
        yield f"{key}.kind: {entry.kind}: {says}; {suggest(option, arguments)}"
    elif isinstance(value, list) != (wanted != "a number") or not all(map(_is_number, numbers)):
        yield f"{key}.{option}: {value}: {constant} of {entry.kind} names it; give it {wanted}"
    elif isinstance(entry, CustomQuery) and not _is_unit(entry.unit()):
        says = f'MAGNITUDES needs `unit` of {entry.target} as a plain text without "="'
        yield f'{key}.kind: {entry.kind}: {says}; write what the magnitudes count, as unit = "degrees"'


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _is_unit(value: object) -> bool:
    return isinstance(value, str) and value != "" and "=" not in value


def _problem(entry: Custom) -> str | None:
    """Why a plug-in cannot be run, with what to do; None where it can."""
    if entry.kind.partition(".")[0] == "lmia":
        return f"of lmia itself, whose kinds have no dot; {_own(entry)}"
    if (file := locate(entry.module)) and is_installed(file):
        return "an installed package, no plug-in; docs/how-to/extend.md has the ways"
    if find(entry.module) is None:
        return _nowhere(entry.module)
    if problem := flaw(entry.module) or flaw_of_files(entry.module):
        return problem
    if read_arguments(entry.module, entry.target) is None:
        return f"the module defines no {entry.target}; see docs/how-to/extend.md"
    return None


def _nowhere(module: str) -> str:
    """Why a module's source is not found, although its file may lie beside the Snakefile."""
    if file := locate(module):
        return f"{file} has no source that could be read; put its .py file beside the Snakefile or on PYTHONPATH"
    first, beside = module.partition(".")[0], ROOT / f"{module.replace('.', '/')}.py"
    if beside.is_file() and (other := locate(first)) and not other.is_relative_to(ROOT):
        return f"{other.parent} stands in front of {beside.parent}; add an __init__.py there, or rename one of them"
    is_here = Path(f"{module.replace('.', '/')}.py").is_file()
    return "no such module; put its file beside the Snakefile or on PYTHONPATH" + ", as by PYTHONPATH=." * is_here


def _own(entry: Custom) -> str:
    """What to write in place of a dotted path into lmia."""
    known = [file.stem for file in (ROOT / "lmia" / entry.package).glob("[a-z]*.py")]
    return suggest(entry.kind.rpartition(".")[2], sorted(known))
