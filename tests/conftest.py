"""What all tests share."""

import os

# Before torch is imported: tests' tensors are tiny, and threads that wait for a busy core cost more than they win.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_modifyitems(items):
    """The paper's tests come first: they take minutes each, and others are done beside them."""
    items.sort(key=lambda item: item.path.name != "test_paper.py")
