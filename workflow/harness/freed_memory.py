"""Keep freed memory in the process: a forward pass reuses pages that are there, instead of asking for them again."""

import ctypes

# Of glibc's malloc.h. Larger blocks than the greatest threshold are always mapped anew.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
KEPT, PAD, MAPPED = 1 << 30, 1 << 26, 1 << 25  # bytes


def keep_freed_memory() -> bool:
    """Tell the C library to hand back no page below 1 GiB; returns whether it is one that can be told (glibc)."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return all([mallopt(M_TRIM_THRESHOLD, KEPT), mallopt(M_TOP_PAD, PAD), mallopt(M_MMAP_THRESHOLD, MAPPED)])
