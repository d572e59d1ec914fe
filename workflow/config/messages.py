"""What is said of a mistake: the key, what came, and what to write instead."""

import difflib
import reprlib
from collections.abc import Collection
from os import getcwd
from os.path import isabs

EMPTY = '""'  # as one writes it in YAML
SHORT = reprlib.Repr()  # of values in messages
SHORT.maxlist = SHORT.maxdict = 10
SHORT.maxstring = SHORT.maxother = 80


def suggest(word: object, known: Collection[str]) -> str:
    """How to mend a word that is none of the known ones."""
    if not known:
        return "this kind takes no options; remove it"
    close = difflib.get_close_matches(str(word), known, n=1)
    return f"did you mean {close[0]}?" if close else f"expected one of: {', '.join(word or EMPTY for word in known)}"


def where(path: str) -> str:
    """Words for the folder in which a path is looked for."""
    return "" if isabs(path) or path.startswith("~") else f" in {getcwd()}"


def unknown(key: str, name: str, known: Collection[str], section: str) -> str:
    """A line for a name that a section does not have."""
    return f"{key}: {name}: not defined under {section}; {suggest(name, known) if known else 'add it there'}"
