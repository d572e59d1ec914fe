"""What code a job depends on, as hashes that ignore comments, docstrings, layout, and where a module lies.

Snakemake sees a script's modification time, and nothing of the modules that it imports. The hashes below go into each
rule's params instead: over the script and every module of this repository, or of a user's plug-in, that it imports,
directly or not. Imports are read from the parsed source, so a module that is chosen at run time must be named. The
folder of this file decides no result, and is left out.
"""

import ast
import hashlib
import os
import sys
import sysconfig
from collections.abc import Iterable
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any, NamedTuple

from workflow.harness import parsed_sources
from workflow.harness.checksums import hash_of
from workflow.harness.parsed_sources import short

Link = list[tuple[str, Path]]  # (dotted name, file) of all on the way to an import
HARNESS = Path(__file__).parent.resolve()
ROOT = HARNESS.parents[1]
INSTALLED = {"site-packages", "dist-packages"}  # whoever installed it: pip, a distribution, for a user or for all
COMPILED = (".pyc", *EXTENSION_SUFFIXES)  # modules without a source: known by their bytes
# The script, and what Python and Snakemake load before it.
LOADED_BEFORE = {"__main__", "sitecustomize", "usercustomize", "snakemake"}


def fingerprint(script: str, *modules: str) -> list[str]:
    """Sorted "file@hash" strings of everything that a job runs; `hashes` has what is compared of them.

    script: path under the repository root; modules: full names of modules that the script imports by name only, in an
    order that tells them apart. Raises ModuleNotFoundError where there is no such module.

    A file's own hash leaves out which modules it imports. The script's covers that for all of them: it is of the whole
    graph of imports, with files as numbers in the order in which imports lead to them, so names do not count.
    """
    start = _placed(ROOT / script)
    found = _walk(start, *modules)
    versions = {file: version for file, met in found.items() if (version := _version(met.content, file, met.name))}
    numbers = {file: number for number, file in enumerate(versions)}
    links = [[_own(name) for name in modules], *(found[file].links for file in versions)]
    graph = [[[numbers[file] for _, file in link if file in numbers] for link in of_one] for of_one in links]
    versions[start] = short(repr([*versions.values(), graph]))
    return sorted(f"{_shown(file)}@{version}" for file, version in versions.items())


def hashes(listed: Iterable[str]) -> list[str]:
    """What counts of "file@hash" strings, sorted: a file may be moved, and its importers say so, without effect."""
    return sorted(entry.rpartition("@")[2] for entry in listed)


def closure(script: Path, *modules: str, around: bool = False) -> dict[Path, str]:
    """Files of the script, of the named modules, and of what they import in turn: path -> name as a module, or "".

    Left out is what is installed, and, but for `around`, this folder and what only it imports.
    """
    return {file: met.name for file, met in _walk(script, *modules, around=around).items()}


class Met(NamedTuple):
    """A file on the walk over imports: its name as a module, or "", its bytes, and what it links to."""

    name: str
    content: bytes
    links: list[Link]


def _walk(script: Path, *modules: str, around: bool = False) -> dict[Path, Met]:
    """The files of `closure`, each read once."""
    pending = [("", script)]
    for name in modules:
        if locate(name) is None:
            raise ModuleNotFoundError(f"no module {name!r} on the Python path or beside the Snakefile")
        pending += _own(name)
    seen: dict[Path, Met] = {}
    while pending:
        name, file = pending.pop()
        if file not in seen and (around or not file.is_relative_to(HARNESS)):
            content = file.read_bytes()
            seen[file] = met = Met(name, content, _links(content, file, name))
            pending += [found for link in met.links for found in link]
    return seen


file_hash = cache(hash_of)


def find(name: str) -> Path | None:
    """Source file of a module, without running it or a package that it is in; None where there is none."""
    file = locate(name)
    return file if file and file.suffix == ".py" else None


@cache
def locate(name: str) -> Path | None:
    """File of a module as Python would import it, source or not; None where there is none, or none on a disk."""
    where, parts, origin = None, name.split("."), None
    for n in range(1, len(parts) + 1):
        if not all(parts) or (n > 1 and where is None):
            return None
        origin, where = _found(".".join(parts[:n]), where)
    return _on_disk(origin) if origin and origin.endswith((".py", *COMPILED)) else None


def _on_disk(origin: str | Path) -> Path | None:
    """The file that a module is from, None where there is none; of a module in an archive (.zip) the archive."""
    file = next((part for part in (Path(origin), *Path(origin).parents) if part.is_file()), None)
    return file and _placed(file)


def _placed(file: Path) -> Path:
    """A path without links but for the file itself: Python looks beside that, for bytecode and for what it imports."""
    return file.parent.resolve() / file.name


def _found(name: str, where: Any) -> tuple[str | None, Any]:
    """(file of a module, folders of its parts), each None where there is none; where: folders of the package it is in.

    importlib.util.find_spec would run the packages that it is in.
    """
    try:
        found = (finder.find_spec(name, where) for finder in sys.meta_path)
        spec = next(filter(None, found), None)
    except KeyError:  # a folder without __init__.py in another package, which Python looks for among loaded modules
        folders = [str(Path(path) / name.rpartition(".")[2]) for path in where]
        return None, [folder for folder in folders if Path(folder).is_dir()]
    if spec is None:
        return None, None
    where = spec.submodule_search_locations
    return spec.origin, getattr(where, "_path", where)  # of folders without __init__.py: to iterate it loads parents


def is_installed(file: Path) -> bool:
    """Whether a file is Python's own, or of an installed package."""
    return bool(INSTALLED & set(file.parts)) or any(file.is_relative_to(folder) for folder in _python())


@cache  # as a job has loaded hundreds of modules from each
def _has_installed(folder: str) -> bool:
    return is_installed(Path(folder, "module"))


@cache
def _python() -> set[Path]:
    folders = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")]
    return {*folders, *(folder.resolve() for folder in folders)}


def unlisted(script: Path, *modules: str) -> list[str]:
    """Files that are loaded, not installed, and neither among the job's code nor among what stands around it.

    Modules that are imported behind the hashes' back would make the cache lie.
    """
    return sorted(map(_shown, loaded() - closure(_placed(script), *modules, around=True).keys()))


def loaded() -> set[Path]:
    """Files of all modules that were imported, and are not installed."""
    modules = [(name, getattr(module, "__file__", None)) for name, module in list(sys.modules.items())]
    apart = [(name, Path(file)) for name, file in modules if file and _stands_apart(name, file)]
    found = [(_on_disk(file), _is_imported(name, file)) for name, file in apart]
    ours = {file for file, is_imported in found if file and (is_imported or file.is_relative_to(ROOT))}
    return {file for file in ours if not is_installed(file)}


@cache  # a job asks five times about some two thousand modules
def _stands_apart(name: str, file: str) -> bool:
    """Whether a loaded module may be ours, by its name and its file's alone: the disk is asked each time."""
    return name.partition(".")[0] not in LOADED_BEFORE and not _has_installed(os.path.dirname(file))


def _is_imported(name: str, file: Path) -> bool:
    """Whether a loaded module lies where an import finds it: compilers load what they make under other names."""
    places = [*file.parent.parts, file.name.partition(".")[0]]
    parts = name.split(".") + ["__init__"] * (places[-1] == "__init__")
    return places[-len(parts) :] == parts


def _shown(file: Path) -> str:
    return str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else str(file)


@cache
def _own(name: str) -> Link:
    """(name, file) of a dotted name and of the packages that it is in, as far as they are not installed."""
    parts = name.split(".")
    prefixes = [".".join(parts[:n]) for n in range(1, len(parts) + 1)]
    if (first := locate(prefixes[0])) is not None and is_installed(first):
        return []
    found = [(prefix, locate(prefix)) for prefix in prefixes]
    return [(prefix, file) for prefix, file in found if file and not is_installed(file)]


def beside(name: str, file: Path) -> Link:
    """(name, file) of a dotted name that is nowhere on the path, and found from the folder of the file that imports it.

    Such a file puts its folder on sys.path as it runs, that of a link or of what this leads to. Whatever else that
    leads to, `unlisted` finds.
    """
    parts = name.split(".")
    if locate(parts[0]) is not None or is_standard(parts[0]):
        return []
    folders = dict.fromkeys([file.parent, file.resolve().parent])
    bases = [(".".join(parts[:n]), folder.joinpath(*parts[:n])) for folder in folders for n in range(1, len(parts) + 1)]
    found = [(part, source) for part, base in bases for source in (base.with_suffix(".py"), base / "__init__.py")]
    return [(part, source) for part, source in found if source.is_file()]


def is_standard(name: str) -> bool:
    """Whether a name is of Python's own library."""
    return name.partition(".")[0] in sys.stdlib_module_names


def _version(content: bytes, file: Path, name: str) -> str:
    """Hash of what a file means by itself, of modules of ours that it imports without which they are; "" if nothing."""
    if file.suffix == ".py":
        return _source_version(content, file, name)
    return hashlib.sha256(content).hexdigest()[:12]


@cache  # by what stands in the file: the jobs of a plan share most of what they import
def _source_version(source: bytes, file: Path, name: str) -> str:
    return parsed_sources.version(source, file, lambda node: _bound(node, file, name))


@cache
def _imported(content: bytes, file: Path, name: str) -> list[str]:
    """Dotted names of all that a source may import."""
    return [imported for node in parsed_sources.imports(content, file) for imported in _names(node, file, name)]


def _links(content: bytes, file: Path, name: str) -> list[Link]:
    """(name, file) of all that is not installed on the way to each name that a file may import, a list for each."""
    return [_leads_to(imported, file) for imported in _imported(content, file, name)] if file.suffix == ".py" else []


def _leads_to(imported: str, file: Path) -> Link:
    return _own(imported) or beside(imported, file)


def _names(node: ast.Import | ast.ImportFrom, file: Path, name: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [f"{imported_from(node, file, name)}.{alias.name}" for alias in node.names]


def imported_from(node: ast.ImportFrom, file: Path, name: str) -> str:
    """The module that a `from` import names, absolutely."""
    if not node.level:
        return str(node.module)
    parts = name.split(".")
    package = parts[: len(parts) - node.level + (file.name == "__init__.py")]
    return ".".join([*package, *filter(None, [node.module])])


def _bound(node: ast.Import | ast.ImportFrom, file: Path, name: str) -> list[str]:
    """What an import statement binds, without the names of modules of ours, which may be moved."""
    bound = []
    for alias, imported in zip(node.names, _names(node, file, name), strict=True):
        found = _leads_to(imported, file)
        bound.append(f"{imported.removeprefix(found[-1][0]) if found else imported} as {alias.asname or alias.name}")
    return bound
