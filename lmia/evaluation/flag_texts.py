"""Flags as one text, as a cell of the column `flags` has them: apart from what makes them, which needs pandas."""

from collections.abc import Iterable

BETWEEN = "; "


def join(texts: Iterable[str]) -> str:
    """Several texts as one, with each flag once."""
    return BETWEEN.join(dict.fromkeys(flag for text in texts for flag in parted(text)))


def parted(text: str) -> list[str]:
    """The flags of one text, none of an empty one."""
    return text.split(BETWEEN) if text else []
