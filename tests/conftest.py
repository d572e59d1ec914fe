"""What all tests share."""

import os

from hypothesis import settings

# Before torch is imported: tests' tensors are tiny, and threads that wait for a busy core cost more than they win.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Hypothesis allows 0.2 s for an example, by a clock that runs on where others use the machine.
settings.register_profile("lmia", deadline=None)
settings.load_profile("lmia")


def pytest_collection_modifyitems(items):
    """The paper's tests come first: they take minutes each, and others are done beside them."""
    items.sort(key=lambda item: item.path.name != "test_paper.py")
