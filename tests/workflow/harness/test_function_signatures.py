"""What Snakemake is told of a function's parameters is what it would find, found once."""

import inspect

import snakemake.common
from snakemake.common import get_function_params, overwrite_function_params

from workflow.harness import function_signatures


class Rule:
    def of_role(self, wildcards, input):
        """A function of a rule."""


def functions():
    return [lambda wc: wc, lambda wildcards, attempt=1, **others: attempt, Rule().of_role]


def test_parameters_are_those_that_a_function_has():
    function_signatures.install()
    function_signatures.install()  # as a second workflow in one process does
    found = functions()
    for _ in range(2):
        assert [get_function_params(function) for function in found] == [
            inspect.signature(function).parameters for function in found
        ]
    assert snakemake.common.inspect.isfunction(functions()[0])  # the rest is as it was


def test_a_function_is_looked_at_once(monkeypatch):
    function_signatures.install()
    found = functions()
    expected = [get_function_params(function) for function in found]
    monkeypatch.setattr(inspect, "_signature_from_callable", None)
    assert [get_function_params(function) for function in found] == expected


def test_parameters_that_are_stated_afterwards_count():
    function_signatures.install()

    def function(*arguments):
        """Of parameters that are stated."""

    get_function_params(function)
    overwrite_function_params(function, ["wildcards"])
    assert get_function_params(function) == ["wildcards"]
