"""Whether a plug-in's class has what its kind must have, read from its source and from those of its base classes.

What a kind must have is what the protocol of its class in `lmia.interfaces` says. Where a source does not tell, as
where anything is decorated, assigned from elsewhere or made at run time, nothing is said.
"""

import ast
import inspect
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from lmia import interfaces
from workflow.config.plugin_source_reader import binds, source_of
from workflow.harness.fingerprint import find, imported_from, is_installed

PAGE = "docs/how-to/extend.md"
# Names by which a class may get what its body does not show.
MAKES_MORE = {"__getattr__", "__getattribute__", "__setattr__", "__init_subclass__", "__new__", "__class__", "__dict__"}
MAKES_MORE |= {"setattr", "vars", "locals", "globals", "exec", "eval"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Class(NamedTuple):
    """A class, as the source of a module defines it."""

    module: str
    node: ast.ClassDef


def broken_contract(module: str, target: str, package: str) -> str | None:
    """Why the class `target` of a plug-in's module cannot be used as its kind is; None where it can, or may.

    package: of lmia, with the built-in modules of that kind; where one is named `base`, its class is what plug-ins
    must derive from. It is told with what to do. Functions, and targets without a protocol, have no contract.
    """
    protocol = getattr(interfaces, target, None)
    if protocol is None or (line := _line(module, target)) is None:
        return None
    base = f"lmia.{package}.base"
    if find(base) and base not in [found.module for found in line]:
        return (
            f"{_place(*line[0])}: {target} does not derive from {base}.{target}; write class {target}({base}.{target})"
        )
    return next(filter(None, (_problem(line, protocol, name) for name in members(protocol))), None)


def members(protocol: Any) -> list[str]:
    """Names of the methods and attributes that a protocol asks for."""
    return [name for name in (*vars(protocol), *protocol.__annotations__) if not name.startswith("_")]


def _problem(line: list[Class], protocol: Any, name: str) -> str | None:
    """What is wrong with one member of a class, given with all that it derives from."""
    method = getattr(protocol, name, None)
    expected = f"{name}({', '.join(inspect.signature(method).parameters)})" if method else name
    for module, node in line:
        if not _defines(node, name):
            continue
        function = _plain_method(node, name)
        if method is None or function is None or _takes(function, method):
            return None
        came = f"{node.name} has {name}({ast.unparse(function.args)})"
        return f"{_place(module, function)}: {came}, expected {expected}; give it these arguments"
    own = {item.name for _, node in line for item in node.body if isinstance(item, Function)}
    close = get_close_matches(name, sorted(own - {*members(protocol)}), n=1)
    advice = f"rename {close[0]} to {name}" if close else "define it"
    return f"{_place(*line[0])}: {line[0].node.name} has no {expected}; {advice}, see {PAGE}"


def _place(module: str, node: ast.stmt) -> str:
    return f"{source_of(module)}, line {node.lineno}"


def _line(module: str, name: str, below: tuple[Class, ...] = ()) -> list[Class] | None:
    """A class by its name in a module, and all that it derives from, in the order in which Python looks at them.

    None where sources do not tell. below: classes that derive from it, as nothing that runs derives from itself.
    """
    found = _find(module, name)
    if found is None or found in below or _is_open(found):
        return None
    bases = [text for text in map(ast.unparse, found.node.bases) if text != "object"]
    lines = [_line(found.module, base, (*below, found)) for base in bases]
    if None in lines:
        return None
    above = [one for line in lines if line is not None for one in line]
    return [found, *list(dict.fromkeys(reversed(above)))[::-1]]


def _find(module: str, name: str, asked: tuple[tuple[str, str], ...] = ()) -> Class | None:
    """The class that a name, with dots or without, stands for in a module; None where its source does not tell.

    asked: what led here from module to module.
    """
    if (file := find(module)) is None or is_installed(file) or (module, name) in asked:
        return None
    tree, (first, *rest) = _tree(file.read_bytes()), name.split(".")
    bindings = [node for node in ast.walk(tree) if binds(node, first)]
    if len(bindings) != 1 or _is_handed_on(tree, first):
        return None
    if isinstance(node := bindings[0], ast.ClassDef):
        return None if rest else Class(module, node)
    for statement in ast.walk(tree):
        if node in getattr(statement, "names", []):
            *origin, last = _imported(statement, node, file, module) + rest
            return _find(".".join(origin), last, (*asked, (module, name)))
    return None


@cache  # so that a class met twice is one
def _tree(source: bytes) -> ast.Module:
    return ast.parse(source)


def _imported(statement: Any, alias: Any, file: Path, module: str) -> list[str]:
    """Parts of the dotted name of what one name of an import statement stands for."""
    if isinstance(statement, ast.ImportFrom):
        return [*imported_from(statement, file, module).split("."), alias.name]
    return alias.name.split(".")[: None if alias.asname else 1]


def _is_handed_on(tree: ast.Module, name: str) -> bool:
    """Whether a function gets a class, or another name is given to it: then it may be changed out of sight."""
    for node in ast.walk(tree):
        given = [*node.args, *(word.value for word in node.keywords)] if isinstance(node, ast.Call) else []
        given += [node.value] if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) else []
        if any(getattr(value, "id", None) == name for value in given):
            return True
    return False


def _is_open(found: Class) -> bool:
    """Whether a class may have more than its body and its bases show: by a decorator, a metaclass, or a trick."""
    named = (getattr(node, key, None) for node in ast.walk(found.node) for key in ("name", "id", "attr"))
    return bool(found.node.decorator_list or found.node.keywords) or not MAKES_MORE.isdisjoint(filter(None, named))


def _defines(node: ast.ClassDef, name: str) -> bool:
    """Whether the body of a class gives a name a value, or a method gives it to an attribute."""
    attributes = (
        part for part in ast.walk(node) if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)
    )
    return any(binds(part, name) for part in _body(node)) or any(part.attr == name for part in attributes)


def _body(node: ast.AST) -> Iterator[ast.AST]:
    """All that stands in a class, but for what is in its functions and in classes of its own."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, Function | ast.ClassDef | ast.Lambda):
            yield from _body(child)


def _plain_method(node: ast.ClassDef, name: str) -> Function | None:
    """The one definition of a method in a class; None where it is decorated, assigned, in a branch, or not alone."""
    bindings = [part for part in _body(node) if binds(part, name)]
    only = bindings[0] if len(bindings) == 1 else None
    return only if isinstance(only, Function) and only in node.body and not only.decorator_list else None


def _takes(function: Function, method: Any) -> bool:
    """Whether a method can be called with as many arguments as that of a protocol, both with `self`."""
    arguments, expected = function.args, inspect.signature(method).parameters.values()
    by_name = {one.name for one in expected if one.kind is one.KEYWORD_ONLY}
    defaults = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    if not {one.arg for one, default in defaults if default is None} <= by_name:
        return False
    named = [*arguments.posonlyargs, *arguments.args]
    most = inf if arguments.vararg else len(named)
    return len(named) - len(arguments.defaults) <= len(expected) - len(by_name) <= most
