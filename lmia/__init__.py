"""Label-only membership inference: query a frozen model, keep the answers, score membership."""

import importlib

# What `lmia.api` and `lmia.api_pools` offer, imported when it is first used: every job's hash covers what this file
# imports.
__all__ = [
    "Answers",
    "Compared",
    "Confidences",
    "Distances",
    "Model",
    "Table",
    "attack",
    "attack_pool",
    "draw_pool",
    "evaluate",
]
__all__ += ["evaluate_pool", "query_labels", "search_boundary", "search_directions"]


def __getattr__(name):
    if name in __all__:
        return getattr(importlib.import_module("lmia.api_pools" if name.endswith("_pool") else "lmia.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
