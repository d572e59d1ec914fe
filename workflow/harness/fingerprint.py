"""What code a job depends on, as hashes that ignore comments, docstrings and layout.

Snakemake sees a script's modification time, and nothing of the modules that it imports. The hashes below go into each
rule's params instead: over the script and every module of this repository (or of a user's plug-in) that it imports,
directly or not. Imports are read from the parsed source, so a module that is chosen at run time must be named.
"""

import ast
import hashlib
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def fingerprint(script, *modules):
    """Sorted "file@hash" strings of everything that a job runs.

    script: path under the repository root; modules: full names of modules that the script imports by name only.
    """
    files = closure((ROOT / script).resolve(), *modules)
    return [f"{_shown(file)}@{_parse(file)[0]}" for file in sorted(files)]


def closure(script, *modules):
    """Files of the script, of the named modules, and of what they import in turn, as a set of paths."""
    roots = [ROOT]
    pending = [script]
    for name in modules:
        file = find(name)
        if file is None:
            raise ModuleNotFoundError(f"no module {name!r} on the Python path or beside the Snakefile")
        roots.append(file.parents[name.count(".") + (file.name == "__init__.py")])
        pending += [file, *_locate(name, roots)]
    seen = set()
    while pending:
        file = pending.pop()
        if file not in seen:
            seen.add(file)
            pending += [found for name in _parse(file)[1] for found in _locate(name, roots)]
    return seen


@cache
def file_hash(path):
    """SHA-256 of a file's bytes, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def find(name):
    """Source file of a module, without running it or a package that it is in; None where there is none."""
    spec, parts = None, name.split(".")
    for n in range(1, len(parts) + 1):
        where = spec.submodule_search_locations if spec else None  # importlib.util.find_spec would run the package
        if not all(parts) or (n > 1 and where is None):
            return None
        found = (finder.find_spec(".".join(parts[:n]), where) for finder in sys.meta_path)
        if (spec := next(filter(None, found), None)) is None:
            return None
    return Path(spec.origin).resolve() if spec.origin and spec.origin.endswith(".py") else None


def unlisted(listed):
    """Modules under the repository root, plug-ins too, that are loaded but in none of the "file@hash" strings."""
    known = {entry.rpartition("@")[0] for entry in listed}
    loaded = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    files = {Path(file).resolve() for file in loaded if file}
    return sorted(_shown(file) for file in files if _is_source(file) and _shown(file) not in known)


def _is_source(file):
    """Whether a file is ours: under the root, but in no hidden folder and not of the Python that runs."""
    if not file.is_relative_to(ROOT) or file.relative_to(ROOT).parts[0].startswith("."):
        return False
    if file.suffix != ".py" or not file.is_file():  # torch has modules that name files which are nowhere
        return False
    return not any(file.is_relative_to(Path(prefix).resolve()) for prefix in (sys.prefix, sys.base_prefix))


def _shown(file):
    return str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else file.name


def _locate(name, roots):
    """Files of a dotted name and of its parent packages, as far as they lie under one of the roots."""
    return [file for root in roots for file in _locate_under(root, name)]


@cache
def _locate_under(root, name):
    parts = name.split(".")
    bases = [root.joinpath(*parts[:n]) for n in range(1, len(parts) + 1)]
    files = [file for base in bases for file in (base.with_suffix(".py"), base / "__init__.py")]
    return [file.resolve() for file in files if file.is_file()]


def _parse(file):
    return _parse_version(file, file.stat().st_mtime_ns)


@cache
def _parse_version(file, _mtime):
    """(hash of the meaning, names that it imports) of one source file."""
    tree = ast.parse(file.read_bytes(), str(file))
    names = [name for node in ast.walk(tree) for name in _imports(node, file)]
    return hashlib.sha256(_meaning(tree).encode()).hexdigest()[:12], names


def _imports(node, file):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        package = file.relative_to(ROOT).parts if file.is_relative_to(ROOT) else file.parts[-node.level - 1 :]
        base = ".".join([*package[: -node.level], *filter(None, [node.module])])
    return [base, *(f"{base}.{alias.name}" for alias in node.names)]


def _meaning(node):
    """The syntax tree as text, without positions, docstrings and empty fields (which differ between Pythons)."""
    if isinstance(node, list):
        return "[" + ",".join(map(_meaning, node)) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = []
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(value, list) and _has_docstring(node):
            value = value[1:]
        if value not in (None, []):
            fields.append(f"{name}={_meaning(value)}")
    return f"{type(node).__name__}({','.join(fields)})"


def _has_docstring(node):
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return isinstance(node, kinds) and ast.get_docstring(node, clean=False) is not None
