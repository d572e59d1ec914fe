"""Small inputs of the functions of `import lmia`, and answers about them."""

import numpy as np

import lmia

NOISE = {"sigmas": [0.1, 0.3], "samples": 8}


def constant(inputs):
    return np.zeros(len(inputs), int)


X, Y = np.full((4, 3), 0.5), np.array([0, 1, 0, 1])
ANSWERS = lmia.Answers(np.zeros((4, 1), int), Y, np.zeros(1))
NOISY = lmia.Answers(np.zeros((4, 2), int), Y, np.array([0, 0.1]))
DISTANCES = lmia.Distances(np.ones((4, 1, 1)), np.ones((4, 1, 1), int), Y)
HALF = Y == 1
SURE = lmia.Confidences(np.eye(2)[Y], Y)
