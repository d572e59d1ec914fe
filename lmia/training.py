"""Train one classifier to the end, as the paper does: until the training loss stops falling."""

import numpy as np
import torch
from torch import nn


def train(
    build, inputs, classes, n_classes, seed, penalty, *, learning_rate, batch_size, min_delta, patience, max_epochs
):
    """Fit a new model with Adam and cross-entropy, and stop once the loss has not improved for a while.

    build: (shape, n_classes) -> module; inputs: float32 (n, *shape); classes: int64 (n,); seed: of weights and batch
    order; penalty: module -> scalar added to the loss; min_delta: a smaller improvement of an epoch's mean loss does
    not count; patience: epochs without one before the end; max_epochs: the end in any case.

    Returns (model in evaluation mode, mean loss of each epoch, float64 (epochs,)).
    """
    with torch.random.fork_rng(devices=[]):  # initialisers and dropout know only the global stream
        torch.manual_seed(seed)
        model = build(inputs.shape[1:], n_classes).train()
        optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
        losses, best, waited = [], np.inf, 0
        for _ in range(max_epochs):
            losses.append(_epoch(model, optimizer, inputs, classes, batch_size, penalty))
            if losses[-1] < best - min_delta:
                best, waited = losses[-1], 0
            else:
                waited += 1
            if waited >= patience:
                break
    return model.eval(), np.array(losses)


def _epoch(model, optimizer, inputs, classes, batch_size, penalty):
    total = 0.0
    for batch in torch.randperm(len(inputs)).split(batch_size):
        optimizer.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(model(inputs[batch]), classes[batch]) + penalty(model)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(inputs)


def accuracy(model, inputs, classes):
    """Share of `inputs` (n, *shape) that get their class, a float."""
    with torch.inference_mode():
        hits = [(model(x).argmax(1) == y).sum() for x, y in zip(inputs.split(1024), classes.split(1024), strict=True)]
    return float(sum(hits)) / len(inputs)
