"""What a query of a tiny network costs beside the forward pass, if nothing else were done and all lay in cache.

The sum bounds what the published search can reach of the ceiling of forward passes alone. One thread, medians over
rounds that take all parts in turn. Seconds. Run from the repository root: python benchmarks/parts.py
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lmia.models import mlp  # noqa: E402
from lmia.queries.noise_table import normals  # noqa: E402
from lmia.streams import streams  # noqa: E402

NETWORKS = {  # model, shape of its inputs
    "digits MLP": (lambda: mlp.build((1, 8, 8), 10), (1, 8, 8)),
    "tabular MLP": (lambda: mlp.build((446,), 30, hidden=(128,)), (446,)),
}
QUERIES, ROUNDS, SECONDS = 512, 40, 0.01  # of one chunk, and of one measurement


def parts(model, shape):
    """name -> function that does this part of QUERIES queries, as `lmia.boundary.hopskipjump` does it."""
    inputs, owners = torch.rand(QUERIES, *shape), np.repeat(np.arange(4), QUERIES // 4)
    rows = inputs.flatten(1)
    noise, probes = torch.randn_like(rows), torch.empty_like(rows)
    centre, scale, weight = rows[:1].clone(), torch.rand(QUERIES, 1), torch.rand(4, 1, QUERIES // 4)
    logits, generators = model(inputs).clone(), streams(0, "parts", range(4))
    return {
        "forward pass": lambda: model(inputs),
        "label": lambda: logits.max(1).indices,
        "ledger": lambda: np.bincount(owners, minlength=4),
        "noise": lambda: normals(generators, QUERIES // 4, rows.shape[1]),
        "length of the noise": lambda: noise.div_(torch.linalg.vector_norm(noise, dim=1, keepdim=True)),
        "probe": lambda: torch.addcmul(centre, noise, scale, out=probes).clamp_(0, 1),
        "direction": lambda: torch.bmm(weight, probes.sub_(centre).view(4, QUERIES // 4, -1)),
    }


def nanoseconds(function):
    """CPU time of a query."""
    start, n = time.process_time(), 0
    while time.process_time() < start + SECONDS:
        function()
        n += QUERIES
    return 1e9 * (time.process_time() - start) / n


@torch.inference_mode()
def main():
    torch.set_num_threads(1)
    print("| network | part | ns per query |\n| --- | --- | ---: |")
    for name, (build, shape) in NETWORKS.items():
        functions = parts(build().eval(), shape)
        costs = np.array([[nanoseconds(function) for function in functions.values()] for _ in range(ROUNDS)])
        for part, cost in zip(functions, np.median(costs, axis=0), strict=True):
            print(f"| {name} | {part} | {cost:.0f} |")
        print(f"| {name} | forward pass, of all | {np.median(costs[:, 0] / costs.sum(axis=1)):.2f} |", flush=True)


if __name__ == "__main__":
    main()
