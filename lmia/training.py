"""Train one classifier to the end, as the paper does: until the training loss stops falling."""

import numpy as np
import torch
from torch import nn
from torch.optim.adam import adam

from lmia.augmentation import check_shifts, draw_moves, shifted

PRECISIONS = ("float32", "bfloat16")


def train(
    build,
    inputs,
    classes,
    n_classes,
    seed,
    penalty,
    *,
    learning_rate,
    batch_size,
    min_delta,
    patience,
    max_epochs,
    shifts=0,
    precision="float32",
):
    """Fit a new model with Adam and cross-entropy, and stop once the loss has not improved for a while.

    build: (shape, n_classes) -> module; inputs: float32 (n, *shape), on the device that is to train; classes: int64
    (n,), on the same; seed: int >= 0, of weights, batch order, dropout and shifts; penalty: module -> scalar added to
    the loss; min_delta: a smaller improvement of an epoch's mean loss does not count; patience: epochs without one
    before the end; max_epochs: the end in any case; shifts: int >= 0, every image of every batch moves by up to so many
    pixels down or up and right or left; precision: "float32", or "bfloat16" for the forward and backward pass, with
    weights, loss and updates in float32 all the same.

    Returns (model in evaluation mode, mean loss of each epoch, float64 (epochs,)). Equal arguments give equal bytes on
    a CPU with as many threads; torch's global random state stays as it was.

    Raises ValueError where `shifts` > 0 and inputs are no images, or `precision` is unknown.
    """
    check_shifts(inputs.shape[1:], shifts)
    if precision not in PRECISIONS:
        raise ValueError(f"precision: {precision}: expected one of {', '.join(PRECISIONS)}")
    # Convolutions are faster with channels last, and a shift then gathers whole pixels.
    layout = torch.channels_last if inputs.ndim == 4 else torch.contiguous_format
    inputs = inputs.contiguous(memory_format=layout)
    # The global stream, as initialisers and dropout know no other; it is put back at the end.
    with torch.random.fork_rng([inputs.device] if inputs.is_cuda else []):
        torch.manual_seed(seed)
        model = build(inputs.shape[1:], n_classes).train().to(inputs.device, memory_format=layout)
        update, loss_of = _Adam(model, learning_rate), _objective(model, penalty, precision, inputs.device)
        losses, best, waited = [], np.inf, 0
        for _ in range(max_epochs):
            batches = _batches(inputs, classes, batch_size, shifts)
            losses.append(_epoch(loss_of, update, batches))
            if losses[-1] < best - min_delta:
                best, waited = losses[-1], 0
            else:
                waited += 1
            if waited >= patience:
                break
    return model.eval().to(memory_format=torch.contiguous_format), np.array(losses)


def _objective(model, penalty, precision, device):
    """The function of a batch (inputs, classes) that training makes small."""

    def cross_entropy(x, y):
        return nn.functional.cross_entropy(model(x), y)

    if precision == "bfloat16":
        cross_entropy = torch.autocast(device.type, torch.bfloat16)(cross_entropy)  # the loss itself stays in float32
    return lambda x, y: cross_entropy(x, y) + penalty(model)


def _batches(inputs, classes, batch_size, shifts):
    """The (inputs, classes) of one epoch in a new order."""
    order = torch.randperm(len(inputs)).to(inputs.device)
    moves = draw_moves(len(inputs), shifts).to(inputs.device) if shifts else None
    for start in range(0, len(inputs), batch_size):
        part = slice(start, start + batch_size)
        rows = order[part]
        yield shifted(inputs, rows, moves[part]) if shifts else inputs[rows], classes[rows]


def _epoch(loss_of, update, batches):
    """Train on every batch; returns the mean loss per example, which the device is asked for only once."""
    losses, sizes = [], []
    for x, y in batches:
        loss = loss_of(x, y)
        update(loss)
        losses.append(loss.detach())
        sizes.append(len(y))
    return sum(loss * n for loss, n in zip(torch.stack(losses).tolist(), sizes, strict=True)) / sum(sizes)


class _Adam:
    """Adam (Kingma and Ba 2015, with their constants), all parameters in one fused call.

    torch.optim.Adam computes the same, but making one imports torch's compiler, a second of CPU in every process, and
    its bookkeeping takes longer than the update of a tiny model.
    """

    def __init__(self, model, learning_rate):
        self._rate = learning_rate
        self._state = [
            (p, torch.zeros_like(p), torch.zeros_like(p), torch.zeros((), device=p.device))  # means of g, g^2; steps
            for p in model.parameters()
            if p.requires_grad
        ]

    def __call__(self, loss):
        """Move every parameter that `loss`, a scalar, depends on, and forget the gradients."""
        loss.backward()  # not autograd.grad: its gradients need not lie in memory as their parameters do
        moved = [(p, p.grad, *state) for p, *state in self._state if p.grad is not None]
        parameters, gradients, means, squares, steps = map(list, zip(*moved, strict=True))
        constants = {"lr": self._rate, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0}
        kind = {"fused": True, "amsgrad": False, "maximize": False}
        with torch.no_grad():
            adam(parameters, gradients, means, squares, [], steps, **constants, **kind)
        for parameter in parameters:
            parameter.grad = None


def accuracy(model, inputs, classes):
    """Share of `inputs` (n, *shape) that get their class, a float."""
    with torch.inference_mode():
        hits = [(model(x).argmax(1) == y).sum() for x, y in zip(inputs.split(1024), classes.split(1024), strict=True)]
    return float(sum(hits)) / len(inputs)
