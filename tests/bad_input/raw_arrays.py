"""A good data set's arrays, and arrays as files have them."""

import io

import numpy as np

GOOD = {"inputs": np.linspace(0, 1, 12).reshape(6, 2), "classes": np.array([0, 1, 2, 0, 1, 2])}


def npy(array):
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()
