"""Options that a user gives from Python, checked as the configuration checks them: each has its name in the error.

Left out are the configuration's upper limits on what takes memory and time, and whatever follows from two options.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

INF = float("inf")


@dataclass(frozen=True)
class Numbers:
    """Finite numbers from `least` to `most`, or beyond `above` and below `below`; whole ones where `are_whole`."""

    least: float = -INF
    most: float = INF
    above: float = -INF
    below: float = INF
    are_whole: bool = False

    def holds(self, value: Any) -> bool:
        """Whether it is one of them."""
        kinds = (int, np.integer) if self.are_whole else (int, float, np.integer, np.floating)
        is_number = isinstance(value, kinds) and not isinstance(value, bool) and bool(np.isfinite(value))
        return is_number and bool(self.least <= value <= self.most and self.above < value < self.below)

    def __str__(self) -> str:
        ends = {"from": self.least, "to": self.most, "above": self.above, "below": self.below}
        told = [f"{word} {end:g}" for word, end in ends.items() if abs(end) != INF]
        return " ".join(["a whole number" if self.are_whole else "a number", *told])


@dataclass(frozen=True)
class Each:
    """Lists of at least one, which are not equal where they are `distinct`."""

    of: "Numbers | OneOf"
    distinct: bool = True

    def holds(self, values: Any) -> bool:
        """Whether it is one of them."""
        is_list = isinstance(values, Sequence) and not isinstance(values, str)
        is_list = is_list or (isinstance(values, np.ndarray) and values.ndim == 1)
        if not is_list or not len(values) or not all(map(self.of.holds, values)):
            return False
        return not self.distinct or len({*values}) == len(values)

    def __str__(self) -> str:
        return f"a list of at least one, {'each different and ' * self.distinct}each {self.of}"


@dataclass(frozen=True)
class OneOf:
    """Some names, or truth values."""

    names: tuple[Any, ...]

    def holds(self, value: Any) -> bool:
        """Whether it is one of them."""
        kind = bool | np.bool_ if isinstance(self.names[0], bool) else str
        return isinstance(value, kind) and value in self.names

    def __str__(self) -> str:
        return f"one of {', '.join(map(str, self.names))}"


WHOLE = Numbers(are_whole=True)
POSITIVE, COUNT, NATURAL = Numbers(above=0), Numbers(least=1, are_whole=True), Numbers(least=0, are_whole=True)
SHARE, TRUTH = Numbers(least=0, most=1), OneOf((True, False))
VARIANCE = OneOf(("each", "fixed", "shrunk", "student"))
Rule = Numbers | Each | OneOf
OPTIONS: dict[str, dict[str, Rule]] = {  # of lmia's own kinds
    "rotation": {
        "degrees": Each(Numbers(above=0, most=180)),
        "angles": OneOf(("ends", "all")),
        "interpolation": OneOf(("bilinear", "nearest")),
        "border": OneOf(("repeat", "reflect", "black")),
    },
    "translation": {"pixels": Each(COUNT)},
    "augmented": {"pixels": Each(NATURAL), "samples": COUNT, "flips": TRUTH, "cutout": NATURAL},
    "augmentation_grid": {
        "flips": TRUTH,
        "shifts": Each(WHOLE),
        "border": OneOf(("black", "repeat")),
    },
    "gaussian": {"sigmas": Each(POSITIVE), "samples": COUNT},
    "bernoulli": {"flips": Each(POSITIVE), "samples": COUNT},
    "mixed": {
        "continuous": COUNT,
        "sigmas": Each(POSITIVE),
        "flips": Each(POSITIVE, distinct=False),
        "samples": COUNT,
    },
    "table": {"changes": Each(POSITIVE), "samples": COUNT, "move": POSITIVE},
    "words": {"shares": Each(Numbers(above=0, most=1)), "samples": COUNT, "replace": SHARE},
    "vote": {"with_input": TRUTH},
    "distance": {"threshold": OneOf(("shadows", "random_inputs")), "quantile": Numbers(above=0, below=1)},
    "dhattack": {"variance": VARIANCE, "published": TRUTH},
    "classifier": {
        "hidden": Each(COUNT, distinct=False),
        "weight_decays": Each(POSITIVE),
        "folds": Numbers(least=2, are_whole=True),
        "seed": Numbers(least=0, below=2**32, are_whole=True),
    },
    "lira": {"online": TRUTH, "variance": VARIANCE},
    "difference": {"between": TRUTH},
    "logistic": {"inverse_penalty": POSITIVE},
    "rmia": {"online": TRUTH, "a": SHARE, "gamma": POSITIVE},
}


def check_options(kind: str, options: Mapping[str, Any]) -> None:
    """Raise ValueError for an option of one of lmia's own kinds that is out of its range, or of another type."""
    for name, value in options.items():
        if (rule := OPTIONS.get(kind, {}).get(name)) is not None:
            check_option(f"{kind}: {name}", value, rule)


def check_option(name: str, value: Any, rule: Rule) -> None:
    """Raise ValueError, naming it, for a value that is not as the rule says."""
    if not rule.holds(value):
        raise ValueError(f"{name}: expected {rule}, got {value!r}")
