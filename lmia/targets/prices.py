"""What inputs cost that are sent to a model which bills."""

from fractions import Fraction


def affordable(spend: float, price: float) -> int:
    """How many inputs an amount of money pays for, exactly as decimals are written: 0.3 pays for three at 0.1 each."""
    return Fraction(str(spend)) // Fraction(str(price))


def money(amount: float, currency: str) -> str:
    """An amount as text, with its currency where one is stated: to the cent, and smaller ones to two digits."""
    shown = f"{amount:,.2f}" if amount >= 1 or not amount else f"{amount:.2g}"
    return f"{shown} {currency}".strip()
