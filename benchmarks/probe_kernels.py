"""What compiled kernels would save of a search around a small network: probes made, and weighed, in one pass each.

A block of queries is made, asked and weighed as `lmia.boundary.hopskipjump` does it, and again with two kernels that
numba compiles. Both are shares of the rate of forward passes alone, measured in turns; medians over rounds, one thread.
Run from the repository root, with numba installed beside lmia's own packages: python benchmarks/probe_kernels.py
"""

import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from numba import njit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lmia.boundary.directions import Directions  # noqa: E402
from lmia.models import mlp  # noqa: E402
from lmia.queries.oracle import CHUNK_FLOATS  # noqa: E402
from lmia.streams import streams  # noqa: E402

NETWORKS = {  # model, shape of its inputs
    "64-128-10": (lambda: mlp.build((1, 8, 8), 10), (1, 8, 8)),
    "784-64-10": (lambda: mlp.build((1, 28, 28), 10, hidden=(64,)), (1, 28, 28)),
    "446-128-30": (lambda: mlp.build((446,), 30), (446,)),
}
SEARCHES = {"published": (None, 250), "economical": (8, 30)}  # grid, probes of one step
BLOCK, ROUNDS, SECONDS, RADIUS = 1 << 20, 9, 0.2, 0.3  # values that are made together; of one measurement


@njit(fastmath=True)
def make_probes(noise, centre, radius, probes):
    """Clipped probes (m, n, dim) at `radius` from centres (m, dim), along noise of the same shape."""
    m, n, dim = noise.shape
    for i in range(m):
        for j in range(n):
            squares = np.float32(0)
            for k in range(dim):
                squares += noise[i, j, k] * noise[i, j, k]  # a power would be in double
            scale = radius / np.sqrt(squares)
            for k in range(dim):
                value = centre[i, k] + noise[i, j, k] * scale
                probes[i, j, k] = min(max(value, np.float32(0)), np.float32(1))


@njit(fastmath=True)
def weigh_probes(probes, centre, weight, direction):
    """Sum (m, dim) of what was sent, probe minus centre, times its weight (m, n)."""
    m, n, dim = probes.shape
    direction[:] = 0
    for i in range(m):
        for j in range(n):
            for k in range(dim):
                direction[i, k] += weight[i, j] * (probes[i, j, k] - centre[i, k])


class Block:
    """One block of queries around a network of untrained weights, in both ways."""

    def __init__(self, model, shape, grid, n_probes):
        self.model, self.shape, self.n, self.dim = model, shape, n_probes, math.prod(shape)
        self.directions = Directions(shape, grid)
        m = max(1, BLOCK // (self.dim * n_probes))
        self.streams, self.centre = streams(0, "probes", range(m)), torch.rand(m, self.dim)
        self.inputs = torch.rand(m * n_probes, self.dim)

    def forward(self):
        return self.labels(self.inputs)

    def labels(self, probes):
        parts = probes.view(-1, *self.shape).tensor_split(math.ceil(probes.numel() / CHUNK_FLOATS))
        return torch.cat([self.model(part).max(1).indices for part in parts])

    def weights(self, probes):
        weight = (self.labels(probes) != 0).view(len(probes), 1, self.n).float()
        mean = weight.mean(dim=2, keepdim=True)
        return weight.sub_(torch.where((mean == 0) | (mean == 1), 0.5, mean))

    def by_torch(self):
        noise = self.directions.draw(self.streams, self.n)
        noise.div_(torch.linalg.vector_norm(noise, dim=2, keepdim=True))
        centre = self.centre[:, None]
        probes = torch.add(centre, noise, alpha=RADIUS, out=noise).clamp_(0, 1)
        weight = self.weights(probes)
        return torch.bmm(weight, probes.sub_(centre))[:, 0]

    def by_kernels(self):
        noise, centre = self.directions.draw(self.streams, self.n), self.centre.numpy()
        make_probes(noise.numpy(), centre, np.float32(RADIUS), noise.numpy())  # in the place of the noise
        direction = np.empty_like(centre)
        weigh_probes(noise.numpy(), centre, self.weights(noise)[:, 0].numpy(), direction)
        return torch.from_numpy(direction)


def seconds(function):
    """CPU time of one call."""
    start, calls = time.process_time(), 0
    while time.process_time() < start + SECONDS:
        function()
        calls += 1
    return (time.process_time() - start) / calls


@torch.inference_mode()
def main():
    torch.set_num_threads(1)
    print("| network | search | share of the ceiling | with kernels |\n| --- | --- | ---: | ---: |")
    for network, (build, shape) in NETWORKS.items():
        for search, (grid, n_probes) in SEARCHES.items():
            block = Block(build().eval(), shape, grid, n_probes)
            kinds = (block.forward, block.by_torch, block.by_kernels)
            costs = np.array([[seconds(kind) for kind in kinds] for _ in range(ROUNDS)])
            by_torch, by_kernels = np.median(costs[:, :1] / costs[:, 1:], axis=0)
            print(f"| {network} | {search} | {by_torch:.2f} | {by_kernels:.2f} |", flush=True)


if __name__ == "__main__":
    main()
