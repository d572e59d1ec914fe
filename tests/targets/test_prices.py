"""Money: what it pays for, and how it is written."""

import pytest

from lmia.targets.prices import affordable, money


@pytest.mark.parametrize(
    ("spend", "price", "inputs"),
    [(0.3, 0.1, 3), (40, 0.002, 20000), (0.9, 1, 0), (1, 3e-7, 3333333), (1e18, 1e-18, 10**36)],
)
def test_an_amount_pays_for_whole_inputs_counted_in_decimals(spend, price, inputs):
    assert affordable(spend, price) == inputs


def test_an_amount_has_cents_and_a_small_one_as_many_digits_as_it_needs():
    assert [money(amount, "EUR") for amount in (0, 1234.5, 0.002)] == ["0.00 EUR", "1,234.50 EUR", "0.002 EUR"]
    assert money(3, "") == "3.00"
