"""Every built-in module of a kind offers what the protocol of its folder says."""

import ast
import inspect

import pandas as pd
import pytest
from torch import nn

from lmia import interfaces, plugins
from lmia.defenses import base
from lmia.table import Table
from tests.built_in_kinds import CLASSES, ENTRIES, KINDS, OF_CLASSES, ROOT
from tests.law.study import EVERY_KIND
from workflow.config.plugin_contracts import members

SECTIONS_OF = {"calibration": "attacks", "crafting": "queries", "data": "datasets", "perturbations": "queries"}
PACKAGES = {entry.package for entry in ENTRIES}
TARGETS = {package: {entry.target for entry in ENTRIES if entry.package == package} for package in PACKAGES}


TABLE = Table.of(pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": ["so", "so so"]}), pd.Series([0, 1]), texts=["c"])
READ_BY_OTHERS = {"precision", "most_disagreement", "over"}  # options of a kind that its module does not get


def examples(package, kind):
    """What the module offers, with the options of each entry of this kind in the configuration that has every kind."""
    target = getattr(plugins.load(package, kind), KINDS[package, kind].target)
    section = SECTIONS_OF.get(package, package)
    specs = [spec for spec in EVERY_KIND[section].values() if spec["kind"] == kind]
    assert specs, f"no example of {package} {kind}"
    for spec in specs:
        options = KINDS[package, kind].model_validate(spec).options()
        options = {name: value for name, value in options.items() if name not in READ_BY_OTHERS}
        yield target, options | ({"table": TABLE} if "table" in inspect.signature(target).parameters else {})


def parameters(function):
    return [name for name in inspect.signature(function).parameters if name != "self"]


def test_the_folders_hold_the_kinds_of_the_schema_and_no_other():
    found = {
        (package, file.stem)
        for package, targets in TARGETS.items()
        for file in (ROOT / "lmia" / package).glob("*.py")
        if targets & {getattr(node, "name", None) for node in ast.parse(file.read_text()).body}
    }
    assert found == {*KINDS, ("defenses", "base"), ("targets", "shadow")}  # which no entry names as its kind


@pytest.mark.parametrize("package, kind", OF_CLASSES)
def test_classes_satisfy_their_protocol(package, kind):
    protocol = CLASSES[KINDS[package, kind].target]
    for target, options in examples(package, kind):
        made = target(**options)
        assert isinstance(made, protocol)
        for name in members(protocol):
            if callable(getattr(protocol, name, None)):
                assert parameters(getattr(made, name)) == parameters(getattr(protocol, name)), name


@pytest.mark.parametrize("kind", [kind for package, kind in KINDS if package == "models"])
def test_models_are_built_from_a_shape_and_a_number_of_classes(kind):
    for build, options in examples("models", kind):
        assert parameters(build)[:2] == parameters(interfaces.ModelBuilder.__call__)
        assert isinstance(build((3, 8, 8), 4, **options), nn.Module)


@pytest.mark.parametrize("kind", [kind for package, kind in KINDS if package == "data"])
def test_data_sets_are_loaded_with_options_alone(kind):
    for load, options in examples("data", kind):
        inspect.signature(load).bind(**options)


def test_the_base_of_defenses_has_what_the_protocol_says_and_no_more():
    own = [name for name in (*vars(base.Defense), *base.Defense.__annotations__) if not name.startswith("_")]
    assert sorted(set(own)) == sorted(members(interfaces.Defense))


@pytest.mark.parametrize("package, kind", KINDS)
def test_defaults_of_a_module_are_those_of_the_configuration(package, kind):
    """Else the same option means one thing in a notebook and another in a study."""
    fields = KINDS[package, kind].model_fields
    given = inspect.signature(getattr(plugins.load(package, kind), KINDS[package, kind].target)).parameters
    plain = {name: parameter.default for name, parameter in given.items() if parameter.default is not parameter.empty}
    for name in plain.keys() & fields.keys():
        expected = fields[name].get_default(call_default_factory=True)
        as_lists = [list(value) if isinstance(value, tuple | list) else value for value in (plain[name], expected)]
        assert fields[name].is_required() or as_lists[0] == as_lists[1], name
