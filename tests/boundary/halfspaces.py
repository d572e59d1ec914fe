"""Models whose boundary is a plane, so that the distance to it is known."""

import numpy as np
import torch


class Halfspace(torch.nn.Module):
    """Class 1 where normal . x > offset, with logits that are `scale` times the distances.

    Rows are summed one by one, so a row cannot depend on its batch.
    """

    def __init__(self, normal, offset, scale=1.0):
        super().__init__()
        self.normal = torch.nn.Parameter(torch.as_tensor(normal, dtype=torch.float64))
        self.offset, self.scale = float(offset), scale

    def forward(self, x):
        margin = self.scale * ((x.flatten(1) * self.normal).sum(dim=1) - self.offset)
        return torch.stack([-margin, margin], dim=1)


def near_a_halfspace(distances, spread, dim=20, **options):
    """A half-space through the middle of the cube, points at the given signed distances from it, their classes."""
    rng = np.random.default_rng(0)
    normal = rng.normal(size=dim)
    normal /= np.linalg.norm(normal)
    points = 0.5 + rng.uniform(-spread, spread, size=(len(distances), dim))
    points += np.outer(distances - (points - 0.5) @ normal, normal)
    return Halfspace(normal, normal.sum() / 2, **options), torch.from_numpy(points), (distances > 0).astype(int)


class Constant(torch.nn.Module):
    """Class 0 whatever comes."""

    def forward(self, x):
        return torch.tensor([1.0, 0.0]).expand(len(x), 2)


def halfspace(dim, seed, margin=0.25):
    """A half-space through the middle of the cube, points near it, their classes and exact distances."""
    rng = np.random.default_rng(seed)
    normal = rng.normal(size=dim)
    normal /= np.linalg.norm(normal)
    points = 0.5 + rng.uniform(-0.2, 0.2, size=(8, dim))
    distances = rng.uniform(0.05, margin, size=8) * np.where(rng.random(8) < 0.5, -1, 1)
    points += np.outer(distances - (points - 0.5) @ normal, normal)
    exact = np.array([distance_within_the_cube(x, normal, normal.sum() / 2) for x in points])
    return Halfspace(normal, normal.sum() / 2), torch.from_numpy(points), (distances > 0).astype(int), exact


def distance_within_the_cube(x, normal, offset):
    """From x to the nearest point of [0, 1]^dim with normal . p = offset: x + t * normal, clipped, for one t."""
    low, high = -100.0, 100.0
    for _ in range(200):
        t = (low + high) / 2
        low, high = (t, high) if np.clip(x + t * normal, 0, 1) @ normal < offset else (low, t)
    return np.linalg.norm(np.clip(x + high * normal, 0, 1) - x)
