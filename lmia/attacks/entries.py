"""Attacks, and calibrations of pools, from entries of the configuration."""

from collections.abc import Callable, Mapping
from typing import Any

from lmia import plugins

WAYS = ("reads", "budget", "budgets", "shadows")  # keys of every entry that say how it is run, and are no options of it


def of_entry(entry: Mapping[str, Any], calibrates: bool = False) -> Callable[[], Any]:
    """() -> attack, with the options of an entry, as `lmia.attacks.scoring.run_attack` takes it.

    entry: {"kind": ..., **options}, WAYS among them or not; calibrates: whether it is one of `lmia.calibration`.
    """
    package, name = ("calibration", "Calibration") if calibrates else ("attacks", "Attack")
    return plugins.bind(package, name, {key: value for key, value in entry.items() if key not in WAYS})
