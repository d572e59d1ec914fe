"""What a module's source says of it, read without running it: plug-ins are checked before any job starts."""

import ast
import sysconfig
from functools import cache
from pathlib import Path

from workflow.harness.fingerprint import closure, find

INSTALLED = {"site-packages", "dist-packages"}  # whoever installed it: pip, a distribution, for a user or for all


def is_installed(file):
    """Whether a source file is Python's own, or of an installed package.

    No plug-in is one: among thousands of functions of others, some read a file by running it, as joblib's `load`, and
    whoever wrote a configuration could choose both.
    """
    python = [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")]
    return bool(INSTALLED & set(file.parts)) or any(file.is_relative_to(folder) for folder in python)


def read_constant(module, name):
    """A literal assigned to `name` at the top of a module's source; None where there is none, or no literal."""
    for node in _body(module):
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == name for target in node.targets):
            return _literal(node.value)
    return None


def read_reads(module):
    """The `reads` of a module's Attack, or None."""
    for node in _body(module):
        if getattr(node, "name", None) == "Attack":
            for item in node.body:
                if isinstance(item, ast.Assign) and getattr(item.targets[0], "id", "") == "reads":
                    return _literal(item.value)
    return None


def read_arguments(module, target):
    """Names of the options that a module's function, or its class's __init__, takes; None where it has neither."""
    for node in _body(module):
        if getattr(node, "name", None) == target:
            if isinstance(node, ast.ClassDef):
                node = next((item for item in node.body if getattr(item, "name", "") == "__init__"), None)
            arguments = node.args.args + node.args.kwonlyargs if node else []
            return [argument.arg for argument in arguments if argument.arg not in ("self", "shape", "n_classes")]
    return None


def flaw(module):
    """What is no Python in a module's source, or in what it imports from its own folder; None where all of it is."""
    try:
        closure(find(module), module)
    except SyntaxError as error:
        return f"{error.filename}, line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:  # bytes or nesting that no source has
        return str(error) or type(error).__name__
    return None


@cache
def _body(module):
    return ast.parse(find(module).read_bytes()).body


def _literal(node):
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None
