"""Courses of searches, which may differ in how many steps they take."""

from collections.abc import Sequence

import numpy as np


def pad_moments(courses: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Courses (..., t_i) as (..., t), t the longest: where one took fewer steps, its last moment stands on."""
    length = max(course.shape[-1] for course in courses)
    return [np.pad(c, [(0, 0)] * (c.ndim - 1) + [(0, length - c.shape[-1])], "edge") for c in courses]
