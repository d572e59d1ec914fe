"""What sources mean and import, parsed once for all processes of a folder: each job asks it of all that it runs.

Known by the content of a source, and by that of this file and the version of Python, so nothing can be out of date.
The file of what is known lies in the folder `.snakemake`, which may be deleted at any time; planning writes it, and
jobs read it.
"""

import ast
import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

KEPT = Path(".snakemake/parsed_sources.json")
EMPTY = "Module()"  # what a file means that holds no more than a docstring
GAP = "\0"  # where an import statement stands; in no name, and in no literal as it is written
Import = ast.Import | ast.ImportFrom


def imports(source: bytes, file: Path) -> list[Import]:
    """All import statements of a source, without their positions. Raises SyntaxError."""
    return _statements(_found(source, file)["imports"])


def version(source: bytes, file: Path, told: Callable[[Import], list[str]]) -> str:
    """Hash of what a source means, without positions and comments; "" if it means nothing.

    Docstrings count where the source reads some, by `__doc__` or `inspect.getdoc`.

    told: what stands for an import statement, a list of texts.
    """
    found = _found(source, file)
    statements = imports(source, file)
    texts = [f"Import({','.join(told(statements[n]))})" for n in found["order"]]
    key = short(GAP.join(texts))
    if key not in found["versions"]:
        pieces = _parsed(source, file)[1].split(GAP)
        meaning = "".join(part for both in zip(pieces, [*texts, ""], strict=True) for part in both)
        found["versions"][key] = "" if meaning == EMPTY else short(meaning)
        _known()["is new"] = True
    return found["versions"][key]


def keep(*files: Path) -> None:
    """Write what is known where other processes of this folder look for it, if there is more than they know.

    files: sources that are parsed before, as others will ask for them.
    """
    for file in files:
        imports(file.read_bytes(), file)
    if _known().pop("is new", False):
        new = KEPT.with_name(f"{KEPT.name}.{os.getpid()}")
        with contextlib.suppress(OSError):  # then others parse by themselves
            new.write_text(json.dumps(_known()))
            os.replace(new, KEPT)


def _found(source: bytes, file: Path) -> dict[str, Any]:
    """Of a source: `imports`, statements in the order of a walk; `order`, theirs in the text; `versions` by imports."""
    sources = _known()["sources"]
    if (key := hashlib.sha256(source).hexdigest()) not in sources:
        sources[key] = {**_parsed(source, file)[0], "versions": {}}
        _known()["is new"] = True
    return sources[key]


@cache
def _known() -> dict[str, Any]:
    of = hashlib.sha256(Path(__file__).read_bytes()).hexdigest() + sys.version
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # none, or a damaged one
        known = json.loads(KEPT.read_text())
        if known["of"] == of:
            return known
    return {"of": of, "sources": {}}


@cache
def _parsed(source: bytes, file: Path) -> tuple[dict[str, Any], str]:
    """(imports and their order, the meaning with gaps for them)."""
    tree, order = ast.parse(source, str(file)), []
    statements = [node for node in ast.walk(tree) if isinstance(node, Import)]
    numbers = {id(node): n for n, node in enumerate(statements)}
    reads_docstrings = any(name in source for name in (b"__doc__", b"getdoc"))
    meaning = _meaning(tree, lambda node: order.append(numbers[id(node)]), reads_docstrings)
    return {"imports": "\n".join(map(ast.unparse, statements)), "order": order}, meaning


@cache
def _statements(text: str) -> list[Import]:
    return ast.parse(text).body  # type: ignore - there are no others in it


def short(text: str) -> str:
    """Hash of a text, 12 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _meaning(node: Any, meet: Callable[[Import], None], docstrings: bool) -> str:
    """The syntax tree as text, without positions and empty fields (which differ between Pythons).

    meet: is called with each import statement, for which there is a gap; docstrings: whether they mean something.
    """
    if isinstance(node, list):
        return "[" + ",".join(_meaning(part, meet, docstrings) for part in node) + "]"
    if isinstance(node, Import):
        meet(node)
        return GAP
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = []
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(value, list) and not docstrings and _has_docstring(node):
            value = value[1:]
        if value not in (None, []):
            fields.append(f"{name}={_meaning(value, meet, docstrings)}")
    return f"{type(node).__name__}({','.join(fields)})"


def _has_docstring(node: ast.AST) -> bool:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return isinstance(node, kinds) and ast.get_docstring(node, clean=False) is not None
