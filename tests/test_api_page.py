"""docs/reference/api.md has all names, and its examples print what it says."""

import re

import numpy as np
import pytest

import lmia
from tests.api_examples import PAGE, read_example


@pytest.fixture(scope="module")
def example():
    return read_example("lmia.attack(kind")


def test_the_example_of_the_page_tells_members_and_counts(example):
    names, _, _ = example
    metrics = lmia.evaluate(names.result, names.is_member)
    value, low, high = metrics.loc["auc"]
    assert 0.55 < value and 0.5 < low < value < high
    assert names.model.queries == sum(of.queries().sum() for of in names.asked[1].values()) > 400 * 100


def test_the_example_prints_what_the_page_says(example):
    """But for the last digits, in which processors differ."""
    number = r"\d+(?:\.\d+)?"
    _, printed, told = example
    assert re.sub(number, "#", printed) == re.sub(number, "#", told)
    np.testing.assert_allclose(*(list(map(float, re.findall(number, text))) for text in (printed, told)), rtol=0.1)


def test_the_example_with_a_table_prints_what_the_page_says():
    names, printed, told = read_example("lmia.Table.of(")
    number = r"\d+(?:\.\d+)?"
    assert re.sub(number, "#", printed) == re.sub(number, "#", told) and names.model.queries == 442 * 61
    np.testing.assert_allclose(*(list(map(float, re.findall(number, text))) for text in (printed, told)), rtol=0.1)


def test_the_example_of_crafted_queries_prints_what_the_page_says():
    names, printed, told = read_example("oslo.Crafting(")
    shares = [int(share) for share in re.findall(r"\d+(?= %)", printed)]
    assert shares == pytest.approx([int(share) for share in re.findall(r"\d+(?= %)", told)], abs=3)
    assert re.sub(r"\d+", "#", printed) == re.sub(r"\d+", "#", told)
    assert names.target.queries == 400 * 9 and names.answers.labels.shape == (400, 9)


def test_the_page_has_a_section_for_every_name():
    headings = re.findall(r"^###? (.*)$", PAGE.read_text(), re.M)
    assert sorted(re.findall(r"lmia\.(\w+)", " ".join(headings))) == lmia.__all__
