"""Opacus' gradients of single examples: what they cost for the paper's CNN, and where they are wrong.

One thread; every round runs all ways in turn, figures are medians over rounds, and ratios are taken within rounds.
Half a minute. Run from the repository root: python benchmarks/private_gradients.py
"""

import sys
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import torch
from opacus.grad_sample import GradSampleModule
from opacus.grad_sample.grad_sample_module_fast_gradient_clipping import GradSampleModuleFastGradientClipping
from torch.nn.functional import cross_entropy

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lmia.models import cnn  # noqa: E402

torch.set_num_threads(1)
ROUNDS = 5
SMALL = partial(cnn.build, channels=(4, 8), convolutions=1, dense=16)


def plain(model, x, y):
    cross_entropy(model(x), y).backward()


def single(model, x, y):
    """Gradients of single examples, their norms, and the clipped sum."""
    cross_entropy(model(x), y).backward()
    gradients = [parameter.grad_sample for parameter in model.parameters()]
    norms = torch.stack([gradient.flatten(1).norm(dim=1) for gradient in gradients], 1).norm(dim=1)
    weights = (2 / (norms + 1e-6)).clamp(max=1)
    for gradient in gradients:
        torch.einsum("n,n...->...", weights, gradient)


def ghost(model, x, y):
    """Norms by ghost clipping, and the clipped sum by a second backward pass."""
    losses = cross_entropy(model(x), y, reduction="none")
    losses.mean().backward(retain_graph=True)
    weights = model.get_clipping_coef()
    model.disable_hooks()
    (weights * losses).sum().backward()
    model.enable_hooks()


def costs():
    """CPU seconds of a batch of 100, (rounds, ways), by name."""
    x, y = torch.rand(100, 3, 32, 32), torch.randint(10, (100,))
    network = partial(cnn.build, (3, 32, 32), 10)
    ways = {
        "plain": (plain, network()),
        "ghost clipping": (ghost, GradSampleModuleFastGradientClipping(network(), max_grad_norm=2.0)),
        "gradients of single examples": (single, GradSampleModule(network())),
    }
    seconds = np.empty((ROUNDS + 1, len(ways)))
    for row in seconds:
        for column, (way, model) in enumerate(ways.values()):
            start = time.process_time()
            way(model, x, y)
            row[column] = time.process_time() - start
            model.zero_grad()
            for parameter in model.parameters():
                parameter.grad_sample = None
    return list(ways), seconds[1:]


def error(memory_format):
    """The largest deviation from gradients taken one after another, as a share of each one's largest entry."""
    x, y = torch.rand(50, 3, 8, 8), torch.randint(3, (50,))
    model = SMALL((3, 8, 8), 3)
    parameters = [*model.parameters()]
    single = [torch.autograd.grad(cross_entropy(model(x[n : n + 1]), y[n : n + 1]), parameters) for n in range(len(x))]
    wrapped = GradSampleModule(model.to(memory_format=memory_format), loss_reduction="sum")
    cross_entropy(wrapped(x.contiguous(memory_format=memory_format)), y, reduction="sum").backward()
    found = [parameter.grad_sample for parameter in model.parameters()]
    pairs = [(found[i][n], g) for n, gradients in enumerate(single) for i, g in enumerate(gradients)]
    return max(((ours - exact).abs().max() / exact.abs().max()).item() for ours, exact in pairs)


def main():
    warnings.filterwarnings("ignore", message="Full backward hook")
    torch.manual_seed(0)
    names, seconds = costs()
    print("| way | CPU s per batch of 100 | times plain |\n| --- | --- | --- |")
    for name, own in zip(names, seconds.T, strict=True):
        print(f"| {name} | {np.median(own):.2f} | {np.median(own / seconds[:, 0]):.1f} |")
    for name, memory_format in (("contiguous", torch.contiguous_format), ("channels last", torch.channels_last)):
        print(f"largest relative error of a gradient, {name}: {error(memory_format):.1e}")


if __name__ == "__main__":
    main()
