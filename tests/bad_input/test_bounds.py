"""Numbers that models cannot compute with are refused before any job: every fraction of the schema has its bounds."""

import math
from functools import cache
from typing import get_args

import pytest
from pydantic import BaseModel, ValidationError

from workflow.config.schema import configuration
from workflow.config.schema.attacks import Classifier


@cache
def models(annotation):
    """All classes of entries that a type of the schema is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        inner = [models(field.annotation) for field in annotation.model_fields.values()]
        return frozenset({annotation}).union(*inner)
    return frozenset().union(*(models(part) for part in get_args(annotation) if part is not annotation))


def holds(number, annotation):
    return annotation is number or any(holds(number, part) for part in get_args(annotation))


def shaped(annotation, value):
    """A value of the shape of an annotation, with `value` in place of each number of its type."""
    kind, parts = getattr(annotation, "__origin__", None), get_args(annotation)
    if kind is list:
        return [shaped(parts[0], value)]
    if kind is dict:
        return {"name": shaped(parts[1], value)}
    inner = [part for part in parts if holds(type(value), part)]
    return shaped(inner[0], value) if inner else value


def fields(number):
    return [
        (model, name)
        for model in sorted(models(configuration.Config), key=lambda model: model.__name__)
        for name, field in model.model_fields.items()
        if holds(number, field.annotation)
    ]


FLOATS = fields(float)
BOUND_BY_OTHERS = {  # whole numbers that are, or that may be any
    ("Classifier", "folds"): "the members",
    ("Digits", "seed"): "nothing: numpy takes any",
    ("HopSkipJump", "shift_pixels"): "the budget",
}
INTEGERS = [(model, name) for model, name in fields(int) if (model.__name__, name) not in BOUND_BY_OTHERS]


def mistakes(model, name, value):
    """Kinds of the mistakes in one field."""
    with pytest.raises(ValidationError) as error:
        model.model_validate({name: shaped(model.model_fields[name].annotation, value)})
    return {mistake["type"] for mistake in error.value.errors() if mistake["loc"][0] == name}


def test_the_fields_are_found():
    names = {(model.__name__, name) for model, name in FLOATS}
    assert len(names) > 30 and {("Gaussian", "sigmas"), ("PaperNumbers", "under"), ("DpSgd", "noise")} <= names


@pytest.mark.parametrize("model, name", FLOATS, ids=lambda part: getattr(part, "__name__", part))
@pytest.mark.parametrize("value", [1e39, 1e308, -1e39, math.inf, math.nan])
def test_no_fraction_goes_beyond_float32(model, name, value):
    bounds = {"less_than", "less_than_equal", "greater_than", "greater_than_equal", "finite_number"}
    assert mistakes(model, name, value) & bounds


@pytest.mark.parametrize("model, name", INTEGERS, ids=lambda part: getattr(part, "__name__", part))
def test_no_whole_number_goes_beyond_what_can_be_computed(model, name):
    assert mistakes(model, name, 2**62) & {"less_than", "less_than_equal"}


def test_seeds_of_networks_are_those_that_scikit_learn_takes():
    entry = {"kind": "classifier", "reads": "all"}
    assert Classifier(**entry, seed=2**32 - 1).seed == 2**32 - 1
    assert mistakes(Classifier, "seed", 2**32) == {"less_than"}
