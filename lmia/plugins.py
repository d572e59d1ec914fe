"""Find the module behind a `kind`: a name for what lmia has, a dotted path for what a user adds."""

import functools
import importlib
import inspect
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

SHADOW = "lmia.targets.shadow"  # the one kind whose entries have another one, their `trainer`


def module_name(package: str, kind: str) -> str:
    """Full name of the module of one kind.

    package: a folder of lmia with a module for each kind, such as "attacks"; kind: "gap" means lmia.attacks.gap then,
    whatever has a dot is taken as it stands.
    """
    return kind if "." in kind else f"lmia.{package}.{kind}"


def load(package: str, kind: str) -> ModuleType:
    """Import that module."""
    return importlib.import_module(module_name(package, kind))


def bind(package: str, name: str, spec: Mapping[str, Any], **offered: Any) -> Callable[..., Any]:
    """The function or class `name` of a module, with options bound: `spec` is {"kind": ..., **options}.

    offered: what it is given as well, where it has a parameter of that name.
    """
    target = getattr(load(package, spec["kind"]), name)
    options = {key: value for key, value in spec.items() if key != "kind"}
    if offered:
        asked_for = inspect.signature(target).parameters
        options |= {key: value for key, value in offered.items() if key in asked_for}
    return functools.partial(target, **options)


def modules(**specs: dict) -> list[str]:
    """Full names of the modules of entries, package=spec; of one that has a trainer of its own, that module as well."""
    found = []
    for package, spec in specs.items():
        found.append(module_name(package, spec["kind"]))
        if spec["kind"] == SHADOW:
            found.append(module_name("trainers", spec["trainer"]["kind"]))
    return found
