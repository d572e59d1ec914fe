"""Python's garbage collector, seldom at work: a plan makes millions of objects, nearly all of which stay.

Every round of the collector looks at all of them, which takes a fifth of a plan's time.
"""

import gc

OBJECTS = 1_000_000  # that are made between two rounds, instead of 700


def install() -> None:
    """Have the collector of this process wait for a million new objects: what is in a ring takes some memory longer."""
    gc.set_threshold(OBJECTS, *gc.get_threshold()[1:])
