"""CPU time of an epoch of training: as a textbook writes the loop, as lmia has it, and models all together.

One thread; every round runs all variants in turn, figures are medians over rounds, and ratios are taken within rounds.
About a minute. Run from the repository root: python benchmarks/training.py
On a GPU, wall time of a step, told kernel by kernel and replayed: python benchmarks/training.py --device cuda
"""

import argparse
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap
from torch.optim.adam import adam

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lmia import devices  # noqa: E402
from lmia.defenses import augmentation, none  # noqa: E402
from lmia.models import cnn, mlp, wide_resnet  # noqa: E402
from lmia.training import cuda_graphs  # noqa: E402
from lmia.training.loop import train  # noqa: E402
from lmia.training.options import TrainingOptions  # noqa: E402

torch.set_num_threads(1)
DIGITS_CNN = partial(cnn.build, channels=(16, 32), convolutions=1, dense=64)
TASKS = {  # builder, shape, members, batch size, models, epochs per round, rounds
    "paper's CNN, 32x32x3, batch 100": (cnn.build, (3, 32, 32), 500, 100, 1, 1, 6),
    "digits MLP, 6 models": (mlp.build, (1, 8, 8), 200, 100, 6, 100, 7),
    "digits MLP, 20 models": (mlp.build, (1, 8, 8), 200, 100, 20, 40, 5),
    "digits CNN, 6 models": (DIGITS_CNN, (1, 8, 8), 100, 50, 6, 20, 7),
    "digits CNN, 20 models": (DIGITS_CNN, (1, 8, 8), 100, 50, 20, 10, 5),
}


ON_GPU = {  # builder, shape, members, batch size, epochs per round
    "paper's CNN, 32x32x3, batch 128": (cnn.build, (3, 32, 32), 2560, 128, 10),
    "WRN-28-2, 32x32x3, batch 64": (wide_resnet.build, (3, 32, 32), 640, 64, 10),
    "digits MLP, batch 100": (mlp.build, (1, 8, 8), 200, 100, 100),
}
ROUNDS_ON_GPU = 5


def textbook(build, inputs, classes, batch_size, epochs):
    """The loop that lmia.training.loop had before: torch.optim.Adam, channels first, the loss read at every step."""
    for seed, (x, y) in enumerate(zip(inputs, classes, strict=True)):
        torch.manual_seed(seed)
        model = build(x.shape[1:], 10).train()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        for _ in range(epochs):
            total = 0.0
            for batch in torch.randperm(len(x)).split(batch_size):
                optimizer.zero_grad(set_to_none=True)
                loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
                loss.backward()
                optimizer.step()
                total += loss.item() * len(batch)


def ours(build, inputs, classes, batch_size, epochs, defense=none.Defense, **options):
    """lmia.training.loop, one model after another."""
    limits = {"min_delta": 0.0, "patience": epochs, "max_epochs": epochs}
    options = TrainingOptions(learning_rate=1e-3, batch_size=batch_size, **limits, **options)
    for seed, (x, y) in enumerate(zip(inputs, classes, strict=True)):
        train(build, x, y, 10, seed, defense(), options)


def together(build, inputs, classes, batch_size, epochs):
    """All models at once by torch.func, with the same fused Adam; returns the losses of each model's last batch."""
    models = [_seeded(build, inputs.shape[2:], seed) for seed in range(len(inputs))]
    weights = {name: value.detach().requires_grad_() for name, value in stack_module_state(models)[0].items()}
    values, rows = list(weights.values()), torch.arange(len(inputs))[:, None]
    state = [torch.zeros_like(v) for v in values], [torch.zeros_like(v) for v in values], [], []
    state[-1].extend(torch.zeros(()) for _ in values)
    losses = vmap(lambda w, x, y: nn.functional.cross_entropy(functional_call(models[0], w, (x,)), y))
    constants = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0}
    orders = [torch.Generator().manual_seed(seed) for seed in range(len(inputs))]
    for _ in range(epochs):
        order = torch.stack([torch.randperm(inputs.shape[1], generator=g) for g in orders])
        for batch in order.split(batch_size, dim=1):
            loss = losses(weights, inputs[rows, batch], classes[rows, batch])
            gradients = torch.autograd.grad(loss.sum(), values)
            with torch.no_grad():
                contiguous = [g.contiguous() for g in gradients]
                adam(values, contiguous, *state, fused=True, amsgrad=False, maximize=False, **constants)
    return loss.detach()


def _seeded(build, shape, seed):
    torch.manual_seed(seed)
    return build(shape, 10).train()


def measure(variants, arguments, epochs, rounds):
    """CPU seconds of an epoch, (rounds, variants); a first round is thrown away."""
    seconds = np.empty((rounds + 1, len(variants)))
    for row in seconds:
        for column, variant in enumerate(variants):
            start = time.process_time()
            variant(*arguments, epochs)
            row[column] = (time.process_time() - start) / epochs
    return seconds[1:]


def first_uses():
    """CPU seconds that a process pays once: for its first vmap, and for its first torch.optim.Adam."""
    x, y = torch.rand(2, 4, 3), torch.zeros(2, 4, dtype=torch.int64)
    for name, call in (
        ("torch.func.vmap", lambda: together(mlp.build, x, y, 4, 1)),
        ("torch.optim.Adam after that", lambda: torch.optim.Adam(nn.Linear(2, 2).parameters())),
    ):
        start = time.process_time()
        call()
        print(f"first use of {name} in a process: {time.process_time() - start:.2f} s of CPU")


def difference():
    """How far a model's loss moves when five more are trained with it."""
    inputs, classes = torch.rand(6, 230, 1, 8, 8), torch.randint(10, (6, 230))
    alone, among = (together(mlp.build, inputs[:n], classes[:n], 100, 200)[0] for n in (1, 6))
    print(f"together, MLP, 230 members, 200 epochs: 1 or 6 models, relative difference {abs(alone / among - 1):.1e}")


def measure_gpu(device):
    """Wall time of a step on a GPU; a round takes all variants in turn, and a first one is thrown away."""
    devices.prepare(device, 1)
    variants = {
        "told": {"warm_up": 10**9},
        "told, bfloat16": {"warm_up": 10**9, "precision": "bfloat16"},
        "replayed": {"warm_up": cuda_graphs.WARM_UP},
        "replayed, bfloat16": {"warm_up": cuda_graphs.WARM_UP, "precision": "bfloat16"},
        "replayed, empty memory filled": {"warm_up": cuda_graphs.WARM_UP, "fill": True},
    }
    print("| task | variant | ms per step | times faster |\n| --- | --- | --- | --- |")
    for task, (build, shape, n, batch_size, epochs) in ON_GPU.items():
        inputs, classes = torch.rand(1, n, *shape, device=device), torch.randint(10, (1, n), device=device)
        seconds = np.empty((ROUNDS_ON_GPU + 1, len(variants)))
        for row in seconds:
            for column, options in enumerate(variants.values()):
                row[column] = _wall(build, inputs, classes, batch_size, epochs, **options)
        seconds = seconds[1:] / (epochs * n / batch_size)
        for variant, own in zip(variants, seconds.T, strict=True):
            times = np.median(seconds[:, 0] / own)
            print(f"| {task} | {variant} | {1e3 * np.median(own):.3g} | {times:.2f} |", flush=True)


def _wall(build, inputs, classes, batch_size, epochs, warm_up, fill=False, **options):
    """Seconds of a training, making the model and recording the steps included."""
    usual, cuda_graphs.WARM_UP = cuda_graphs.WARM_UP, warm_up
    torch.utils.deterministic.fill_uninitialized_memory = fill
    torch.cuda.synchronize()
    start = time.perf_counter()
    ours(build, inputs, classes, batch_size, epochs, **options)
    torch.cuda.synchronize()
    cuda_graphs.WARM_UP = usual
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", help="cpu, or cuda or cuda:N for steps on a GPU")
    device = devices.resolve(parser.parse_args().device)
    if device.type == "cuda":
        measure_gpu(device)
        return
    first_uses()
    difference()
    print("\n| task | variant | CPU ms per epoch and model | times faster |\n| --- | --- | --- | --- |")
    for task, (build, shape, n, batch_size, models, epochs, rounds) in TASKS.items():
        variants = {"textbook": textbook, "ours": ours}
        if models == 1:
            variants["ours, bfloat16"] = partial(ours, precision="bfloat16")
            variants["ours, shifts 3"] = partial(ours, defense=partial(augmentation.Defense, 3, "random"))
        else:
            variants["all together"] = together
        inputs, classes = torch.rand(models, n, *shape), torch.randint(10, (models, n))
        seconds = measure(list(variants.values()), (build, inputs, classes, batch_size), epochs, rounds) / models
        for variant, own in zip(variants, seconds.T, strict=True):
            times = np.median(seconds[:, 0] / own)
            print(f"| {task} | {variant} | {1e3 * np.median(own):.3g} | {times:.2f} |", flush=True)


if __name__ == "__main__":
    main()
