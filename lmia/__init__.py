"""Label-only membership inference: query a frozen model, keep the answers, score membership."""

import importlib

# What `lmia.api` offers, imported when it is first used: every job's hash covers what this file imports.
__all__ = ["Answers", "Confidences", "Distances", "Model", "attack", "evaluate", "query_labels", "search_boundary"]


def __getattr__(name):
    if name in __all__:
        return getattr(importlib.import_module("lmia.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
