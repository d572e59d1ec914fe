"""What a module's source says of it, read without running it: plug-ins are checked before any job starts."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from os.path import expanduser, isfile, relpath, sep
from pathlib import Path
from typing import Any

from workflow.harness.fingerprint import ROOT, beside, closure, find, imported_from, is_installed, is_standard, locate
from workflow.harness.opened_files import texts_in

CHANGING = {"append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"}  # methods of a list


@cache  # as checks ask for each study
def read_constant(module: str, name: str) -> Any:
    """A literal assigned to `name` at the top of a module's source; None where there is none, or no literal."""
    return _assigned(_body(source_of(module)), name)


def _assigned(statements: list[ast.stmt], name: str) -> Any:
    for node in statements:
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        if isinstance(node, ast.Assign | ast.AnnAssign) and any(getattr(part, "id", "") == name for part in targets):
            return _literal(node.value)
    return None


@cache
def read_attribute(module: str, owner: str, name: str) -> Any:
    """A literal that a class of a module gives to an attribute in its body; None where there is none, or no literal."""
    classes = [node for node in _body(source_of(module)) if isinstance(node, ast.ClassDef) and node.name == owner]
    return _assigned([item for node in classes for item in node.body], name)


def read_arguments(module: str, target: str) -> list[str] | None:
    """Names of the options that a module's function, or its class's __init__, takes; None where it has neither."""
    for node in _body(source_of(module)):
        if isinstance(node, ast.ClassDef) and node.name == target:
            return next((_arguments(item) for item in node.body if getattr(item, "name", "") == "__init__"), [])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == target:
            return _arguments(node)
    return None


def _arguments(function: Any) -> list[str]:
    """Names of what a parsed function takes, but for what lmia gives it."""
    arguments = function.args.args + function.args.kwonlyargs
    return [argument.arg for argument in arguments if argument.arg not in ("self", "shape", "n_classes")]


def flaw(module: str) -> str | None:
    """Why a plug-in's code, what it imports included, cannot be run or cannot be hashed; None where it can.

    It is told with what to do.
    """
    try:
        return next(filter(None, map(_not_found, own_sources(module))), None)
    except SyntaxError as error:
        return f"{error.filename}, line {error.lineno}: {error.msg}; mend this file"
    except (ValueError, RecursionError, MemoryError) as error:  # bytes or nesting that no source has
        return f"{str(error) or type(error).__name__}; mend this file"


@cache  # as it is asked for each job
def own_sources(module: str) -> dict[Path, str]:
    """Sources of a plug-in, its own first, and what it imports that is neither installed nor lmia's: path -> name."""
    main, files = source_of(module), closure(source_of(module), module)
    found = [file for file in files if file.suffix == ".py" and not file.is_relative_to(ROOT / "lmia")]
    return {file: files[file] for file in sorted(found, key=lambda file: file != main)}


def flaw_of_files(module: str) -> str | None:
    """Why the files that a plug-in, or what it imports, lists as FILES cannot be known without running it, or None.

    It is told with what to do.
    """
    for file, name in own_sources(module).items():
        if problem := _flaw_of_list(file, name):
            return problem if file == source_of(module) else f"{file}: {problem}"
    return None


def _flaw_of_list(file: Path, module: str) -> str | None:
    bindings = _bindings(file, module, "FILES", (module,))
    listed = _listed(file)
    if not bindings:
        return None
    if len(bindings) > 1 or not isinstance(listed, list | tuple) or not all(isinstance(path, str) for path in listed):
        return 'FILES is not one list of paths, written out; state it once, as FILES = ["weights.npz", "tables"]'
    missing = [path for path in listed if not (file.parent / path).exists()]
    if not missing:
        return None
    return f"FILES: {missing[0]}: no such file or folder beside the module; put it there, or mend it"


def _listed(file: Path) -> Any:
    return _assigned(_body(file), "FILES")


def files_of_plugin(module: str, options: dict[str, Any]) -> list[tuple[str, str]]:
    """(name, path) of each file that a plug-in reads: its options that name one, and what FILES lists.

    An option names a file by what looks like a path, from the working folder or from that of the module. FILES is that
    of the module, and of each one that it imports. The name is what the plug-in knows the file by.
    """
    main = source_of(module)
    texts = [text for text in sorted(set(texts_in(options))) if sep in text or Path(text).suffix]
    found = [(text, path) for text in texts for path in (_path(text), str(main.parent / _path(text)))]
    for file, name in own_sources(module).items():
        inside = [below for path in _listed(file) or [] for below in _below(file.parent / path)]
        of_whom = "" if file == main else f"{name}: "
        found += [(of_whom + relpath(below, file.parent), str(below)) for below in inside]
    return [(name, file) for name, file in dict.fromkeys(found) if isfile(file)]


def _path(text: str) -> str:
    """A text as a path, with "~" filled in."""
    try:
        return expanduser(text)
    except ValueError:  # a null after "~"
        return text


def _below(path: Path, above: tuple[Path, ...] = ()) -> list[Path]:
    """A file itself, or all files in a folder and in those below it, through links, and once around a ring of these."""
    if not path.is_dir():
        return [path]
    if (real := path.resolve()) in above:
        return []
    return [file for part in sorted(path.iterdir()) for file in _below(part, (*above, real))]


def _bindings(source: Path, module: str, name: str, among: tuple[str, ...]) -> list[ast.AST]:
    """Places in a module's source that give a name a value, or change what it has.

    among: modules that import all from each other, this one included.
    """
    found = []
    for node in ast.walk(ast.Module(_body(source), [])):
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            origin = imported_from(node, source, module)
            if origin not in among and (file := find(origin)) and not is_installed(file):
                found += _bindings(file, origin, name, (*among, origin))
        elif binds(node, name):
            found.append(node)
    return found


def binds(node: ast.AST, name: str) -> bool:
    """Whether a node of a parsed source gives a name a value, or changes what it has."""
    if isinstance(node, ast.alias):
        return (node.asname or node.name.partition(".")[0]) == name
    if isinstance(node, ast.Name):
        return node.id == name and not isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.Attribute | ast.Subscript) and getattr(node.value, "id", None) == name:
        return not isinstance(node.ctx, ast.Load) or getattr(node, "attr", None) in CHANGING
    return name in (getattr(node, "name", None), getattr(node, "rest", None))  # def, class, except, case


def _not_found(file: Path) -> str | None:
    """Why what a file imports cannot be found."""
    tree = ast.parse(file.read_bytes())
    for node in _needed(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [str(node.module)]
        for name in () if getattr(node, "level", 0) else names:
            if locate(name) is None and not _is_known(name) and not beside(name, file):
                return (
                    f"{file}, line {node.lineno}: imports {name}, which is neither on the Python path nor beside it; "
                    "put its folder on PYTHONPATH"
                )
    return None


def _needed(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Import statements without which a module cannot be loaded: none that stands in a `try`, a `with` (which may
    suppress an ImportError), an `if` or a function.
    """
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node
    elif isinstance(node, ast.Module | ast.ClassDef):
        for child in node.body:
            yield from _needed(child)


def _is_known(name: str) -> bool:
    """Whether a module without a file of its own is Python's, or a folder without __init__.py."""
    if is_standard(name):
        return True
    found = (finder.find_spec(name.partition(".")[0], None) for finder in sys.meta_path)
    return any(found)


def source_of(module: str) -> Path:
    """Source file of a module that has one; raises ModuleNotFoundError for others."""
    if (file := find(module)) is None:
        raise ModuleNotFoundError(f"no source of a module {module!r}")
    return file


@cache
def _body(source: Path) -> list[ast.stmt]:
    return ast.parse(source.read_bytes()).body


def _literal(node: Any) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):  # TypeError: a list among the keys of a dict
        return None
