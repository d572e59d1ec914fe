"""What code a job depends on, as hashes that ignore comments, docstrings, layout, and where a module lies.

Snakemake sees a script's modification time, and nothing of the modules that it imports. The hashes below go into each
rule's params instead: over the script and every module of this repository, or of a user's plug-in, that it imports,
directly or not. Imports are read from the parsed source, so a module that is chosen at run time must be named. The
folder of this file decides no result, and is left out.
"""

import ast
import hashlib
import sys
import sysconfig
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HARNESS = Path(__file__).resolve().parent
INSTALLED = {"site-packages", "dist-packages"}  # whoever installed it: pip, a distribution, for a user or for all
COMPILED = (".pyc", *EXTENSION_SUFFIXES)  # modules without a source: known by their bytes
EMPTY = "Module()"  # what a file means that holds no more than a docstring


def fingerprint(script, *modules):
    """Sorted "file@hash" strings of everything that a job runs; `hashes` has what is compared of them.

    script: path under the repository root; modules: full names of modules that the script imports by name only. Raises
    ModuleNotFoundError where there is no such module.
    """
    found = closure((ROOT / script).resolve(), *modules)
    entries = ((_shown(file), _version(file, name)) for file, name in found.items())
    return sorted(f"{shown}@{version}" for shown, version in entries if version)


def hashes(listed):
    """What counts of "file@hash" strings, sorted: a file may be moved, and its importers say so, without effect."""
    return sorted(entry.rpartition("@")[2] for entry in listed)


def closure(script, *modules, around=False):
    """Files of the script, of the named modules, and of what they import in turn: path -> name as a module, or "".

    Left out is what is installed, and, but for `around`, this folder and what only it imports.
    """
    pending = [("", script)]
    for name in modules:
        if locate(name) is None:
            raise ModuleNotFoundError(f"no module {name!r} on the Python path or beside the Snakefile")
        pending += _own(name)
    seen = {}
    while pending:
        name, file = pending.pop()
        if file not in seen and (around or not file.is_relative_to(HARNESS)):
            seen[file] = name
            for imported in _imported(file, name):
                pending += _own(imported) or beside(imported, file)
    return seen


@cache
def file_hash(path):
    """SHA-256 of a file's bytes, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find(name):
    """Source file of a module, without running it or a package that it is in; None where there is none."""
    file = locate(name)
    return file if file and file.suffix == ".py" else None


@cache
def locate(name):
    """File of a module as Python would import it, source or not; None where there is none, or none on a disk."""
    where, parts, origin = None, name.split("."), None
    for n in range(1, len(parts) + 1):
        if not all(parts) or (n > 1 and where is None):
            return None
        origin, where = _found(".".join(parts[:n]), where)
    return Path(origin).resolve() if origin and origin.endswith((".py", *COMPILED)) else None


def _found(name, where):
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


def is_installed(file):
    """Whether a file is Python's own, or of an installed package."""
    return bool(INSTALLED & set(file.parts)) or any(file.is_relative_to(folder) for folder in _python())


@cache
def _python():
    return [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")]


def unlisted(script, *modules):
    """Files that are loaded, lie where the job's code lies, and are not among it, nor among what stands around it.

    Modules that are imported behind the hashes' back would make the cache lie.
    """
    listed = closure(script, *modules, around=True)
    roots = {ROOT, *(_root(file, name) for file, name in listed.items() if name)}
    loaded = {getattr(module, "__file__", None) for name, module in list(sys.modules.items()) if name != "__main__"}
    files = {Path(file).resolve() for file in loaded if file and Path(file).is_file()}  # torch names some nowhere
    ours = [file for file in files - listed.keys() if any(_is_under(file, root) for root in roots)]
    return sorted(map(_shown, ours))


def _is_under(file, root):
    """Whether a file is of a folder's code: in no hidden folder, and not of the Python that runs."""
    if not file.is_relative_to(root) or file.relative_to(root).parts[0].startswith(".") or is_installed(file):
        return False
    return not any(file.is_relative_to(Path(prefix).resolve()) for prefix in (sys.prefix, sys.base_prefix))


def _root(file, name):
    """The folder that a module's name begins in."""
    return file.parents[name.count(".") + (file.name == "__init__.py")]


def _shown(file):
    return str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else str(file)


@cache
def _own(name):
    """(name, file) of a dotted name and of the packages that it is in, as far as they are not installed."""
    parts = name.split(".")
    prefixes = [".".join(parts[:n]) for n in range(1, len(parts) + 1)]
    if (first := locate(prefixes[0])) is not None and is_installed(first):
        return []
    found = [(prefix, locate(prefix)) for prefix in prefixes]
    return [(prefix, file) for prefix, file in found if file and not is_installed(file)]


def beside(name, file):
    """(name, file) of a dotted name that is nowhere on the path, and found from the folder of the file that imports it.

    Such a file puts its folder on sys.path as it runs. Whatever else that leads to, `unlisted` finds.
    """
    parts = name.split(".")
    if locate(parts[0]) is not None or is_standard(parts[0]):
        return []
    bases = [(".".join(parts[:n]), file.parent.joinpath(*parts[:n])) for n in range(1, len(parts) + 1)]
    found = [(part, source) for part, base in bases for source in (base.with_suffix(".py"), base / "__init__.py")]
    return [(part, source) for part, source in found if source.is_file()]


def is_standard(name):
    """Whether a name is of Python's own library."""
    return name.partition(".")[0] in sys.stdlib_module_names


def _version(file, name):
    """Hash of what a file means, with the modules that it imports known by what they mean; "" where that is nothing."""
    if file.suffix != ".py":
        return _bytes_hash(file)
    meaning = _meaning(_tree(file.read_bytes(), file), lambda node: _resolved(node, file, name))
    return "" if meaning == EMPTY else _short(meaning)


def _imported(file, name):
    """Dotted names of all that a file may import."""
    if file.suffix != ".py":
        return []
    nodes = ast.walk(_tree(file.read_bytes(), file))
    return [imported for node in nodes for imported in _names(node, file, name)]


def _names(node, file, name):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = _base(node, file, name)
    return [base, *(f"{base}.{alias.name}" for alias in node.names)]


def _base(node, file, name):
    """The module that a `from` import names, absolutely."""
    if not node.level:
        return node.module
    parts = name.split(".")
    package = parts[: len(parts) - node.level + (file.name == "__init__.py")]
    return ".".join([*package, *filter(None, [node.module])])


def _resolved(node, file, name):
    """What an import statement binds: by its content where it is a module of ours, wherever that lies, else by name."""
    if isinstance(node, ast.Import):
        return [f"{_identity(alias.name)} as {alias.asname or alias.name}" for alias in node.names]
    base, bound = _base(node, file, name), []
    for alias in node.names:
        module = _identity(f"{base}.{alias.name}") if locate(f"{base}.{alias.name}") else None
        bound.append(f"{module or f'{_identity(base)} {alias.name}'} as {alias.asname or alias.name}")
    return bound


@cache
def _is_ours(name):
    return any(found == name for found, _ in _own(name))


def _identity(name):
    """What stands for a module in the meaning of its importers: no names of modules that may be moved."""
    if not _is_ours(name):
        return name
    file = locate(name)
    if file.is_relative_to(HARNESS):
        return "harness"
    return _alone(file.read_bytes(), file) if file.suffix == ".py" else _bytes_hash(file)


@cache
def _alone(content, file):
    """Hash of what a source means, whatever it imports."""
    return _short(_meaning(_tree(content, file), _unresolved))


def _unresolved(node):
    return [f"{alias.name} as {alias.asname}" if isinstance(node, ast.ImportFrom) else "module" for alias in node.names]


def _short(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _bytes_hash(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


@cache
def _tree(content, file):
    return ast.parse(content, str(file))


def _meaning(node, of_import):
    """The syntax tree as text, without positions, docstrings and empty fields (which differ between Pythons).

    of_import: what stands for an import statement, a list of texts.
    """
    if isinstance(node, list):
        return "[" + ",".join(_meaning(part, of_import) for part in node) + "]"
    if isinstance(node, ast.Import | ast.ImportFrom):
        return f"Import({','.join(of_import(node))})"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = []
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(value, list) and _has_docstring(node):
            value = value[1:]
        if value not in (None, []):
            fields.append(f"{name}={_meaning(value, of_import)}")
    return f"{type(node).__name__}({','.join(fields)})"


def _has_docstring(node):
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return isinstance(node, kinds) and ast.get_docstring(node, clean=False) is not None
