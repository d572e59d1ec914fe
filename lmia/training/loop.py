"""Train one classifier to the end, as the paper does: until the training loss stops falling."""

from itertools import count

import numpy as np
import torch

from lmia.batching import Batches
from lmia.defenses import base
from lmia.journal import Journal
from lmia.training.cuda_graphs import Replayed
from lmia.training.optimizers import Adam, Sgd
from lmia.training.state import Progress, moving_tensors

PRECISIONS = ("float32", "bfloat16")
OPTIMIZERS = {"adam": Adam, "sgd": Sgd}


class BatchOfOne(ValueError):
    """An epoch ends with a batch of one example, on which a model that normalises by its batch cannot be trained."""


def train(
    build,
    inputs,
    classes,
    n_classes,
    seed,
    defense,
    *,
    learning_rate,
    batch_size,
    min_delta,
    patience,
    max_epochs,
    optimizer="adam",
    weight_decay=0.0,
    precision="float32",
    journal=None,
):
    """Fit a new model on cross-entropy, and stop once the loss has not improved for a while, or is no number any more.

    build: (shape, n_classes) -> module; inputs: float32 (n, *shape), on the device that is to train; classes: int64
    (n,), on the same; seed: int >= 0, of weights, batch order and all that the defense draws; defense: a
    `lmia.defenses.base.Defense`, or one derived from it, for this model alone; min_delta: a smaller improvement of an
    epoch's mean loss does not count; patience: epochs without one before the end; max_epochs: the end in any case, but
    that a defense with `epochs` trains for exactly so many; optimizer: "adam" or "sgd"; weight_decay: of the optimizer,
    see `optimizers`, a defense's `decay` coming on top; precision: "float32", or "bfloat16" for the forward and
    backward pass, with weights, loss and updates in float32 all the same; journal: Journal of this model, whose
    training goes on after its last batch there, None for none.

    Returns (model in evaluation mode, mean loss of each epoch, float64 (epochs,)). Where the last one is not finite,
    training has diverged, and the model is as that epoch left it: no error, so that one hopeless setting of many costs
    no other its result; `model_flag` tells. Equal arguments give equal bytes on a CPU with as many threads; torch's
    global random state stays as it was.

    Raises TypeError for another defense, ValueError where it cannot be trained so, or an option is unknown, BatchOfOne,
    before the first step, where a batch is too small for the model, MemoryError where one is too large for a GPU.
    """
    if not isinstance(defense, base.Defense):
        raise TypeError(f"defense: expected a class derived from lmia.defenses.base.Defense, got {type(defense)}")
    defense.check(inputs.shape[1:])
    if precision not in PRECISIONS:
        raise ValueError(f"precision: {precision}: expected one of {', '.join(PRECISIONS)}")
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"optimizer: {optimizer}: expected one of {', '.join(OPTIMIZERS)}")
    # Convolutions are faster with channels last, and a shift then gathers whole pixels.
    layout = torch.channels_last if inputs.ndim == 4 and defense.channels_last else torch.contiguous_format
    inputs = inputs.contiguous(memory_format=layout)
    # The global stream, as initialisers and dropout know no other; it is put back at the end.
    with torch.random.fork_rng([inputs.device] if inputs.is_cuda else []):
        torch.manual_seed(seed)
        model = build(inputs.shape[1:], n_classes).train().to(inputs.device, memory_format=layout)
        defense.prepare(model, n_classes, len(inputs))
        _check_least_batch(model, inputs, defense, batch_size)
        step, update = defense.stepper(model), None
        if step is None:
            moving = [p for p in model.parameters() if p.requires_grad]
            update = OPTIMIZERS[optimizer](moving, learning_rate, weight_decay + defense.decay)
            step = _plain_step(model, defense, update, precision)
            if inputs.is_cuda and not defense.tensors():  # with tensors it may do something else in each step
                step = Replayed(step, lambda: moving_tensors(model, update, defense).values())
        journal = journal or Journal()
        progress = Progress(lambda: moving_tensors(model, update, defense), journal.get())
        losses = progress.losses
        most = defense.epochs or max_epochs
        waiting = _Waiting(min_delta, most if defense.epochs else patience, losses)
        while len(losses) < most and not waiting.is_over:
            for views in progress.rest(lambda: defense.batches(len(inputs) * defense.copies, batch_size)):
                batch = _show(defense, inputs, classes, views)
                progress.note(_train_on(step, *batch), len(views))
                journal.save(progress.to_arrays)
            progress.end_epoch()
            waiting.note(losses[-1])
        if not np.isfinite(losses[-1]):
            print(
                f"training diverged: the mean loss of epoch {len(losses)} is {losses[-1]}; it stops here, and the "
                "model is kept and flagged; lower learning_rate, or what the defense adds to the loss"
            )
        journal.finish(progress.to_arrays())
        defense.finish(model)
    return model.eval().to(memory_format=torch.contiguous_format), np.array(losses)


@torch.no_grad()
def _check_least_batch(model, inputs, defense, batch_size):
    """Raise BatchOfOne if a batch of one is coming, and the model, as it will be trained, refuses it.

    Only where it is coming is the model asked; its buffers and the random streams stay as they were.
    """
    views = len(inputs) * defense.copies
    is_coming = 1 in (views, batch_size, views % batch_size)
    if not is_coming or type(defense).batches is not base.Defense.batches:  # batches of its own may be of any size
        return
    kept = [buffer.clone() for buffer in model.buffers()]
    try:
        with torch.random.fork_rng([inputs.device] if inputs.is_cuda else []):
            model(inputs[:1].clone())  # or what it does in place would stay
    except ValueError as error:
        raise BatchOfOne(_told(len(inputs), views, batch_size, error)) from error
    finally:
        for buffer, value in zip(model.buffers(), kept, strict=True):
            buffer.copy_(value)


def _told(n, views, batch_size, error):
    """What is wrong with a batch of one, and the nearest sizes without."""
    ways = []
    if views > 1:
        ways.append(f"batch_size to {next(size for size in count(batch_size + 1) if views % size != 1)}")
    if batch_size > 1:
        ways.append(f"n_train to {n - 1 or 2}")
    return (
        f"batch_size: {batch_size}: of {views} views of {n} members, one is left for a batch of its own, on which "
        f"this model cannot be trained ({error}); set {' or '.join(ways) or 'both batch_size and n_train higher'}"
    )


class _Waiting:
    """For an epoch whose mean loss is at least `min_delta` below the best, in vain for `patience` epochs.

    After a loss that is not finite there is nothing to wait for.
    """

    def __init__(self, min_delta, patience, losses):
        self._min_delta, self._patience, self._best, self._waited = min_delta, patience, np.inf, 0
        for loss in losses:
            self.note(loss)

    @property
    def is_over(self):
        return self._waited >= self._patience

    def note(self, loss):
        if loss < self._best - self._min_delta:
            self._best, self._waited = loss, 0
        else:
            self._waited = self._waited + 1 if np.isfinite(loss) else self._patience


def _plain_step(model, defense, update, precision):
    """The function of a batch (inputs, classes) that moves the weights once, and returns its loss."""
    loss_of = defense.loss
    if precision == "bfloat16":  # the loss itself stays in float32
        loss_of = torch.autocast(next(model.parameters()).device.type, torch.bfloat16)(loss_of)

    def step(x, y):
        loss = loss_of(model, x, y) + defense.penalty(model)
        update(loss)
        return loss.detach()

    return step


def _show(defense, inputs, classes, views):
    """The (inputs, classes) of one batch."""
    views, n = views.to(inputs.device), len(inputs)
    rows = views % n
    return defense.view(inputs, rows, views // n), classes[rows]


def _train_on(step, x, y):
    """Train on a batch; returns its loss, which stays on the device."""
    try:
        return step(x, y)
    except torch.OutOfMemoryError as error:  # in halves it would be another training: batch norm, mixup, dropout
        raise MemoryError(
            f"out of memory with a batch of {len(x)}: set batch_size to {len(x) // 2 or 1} or less, which trains "
            "another model, or device: cpu"
        ) from error


def predict(model, inputs):
    """The labels that `inputs` (n, *shape) get, int64 (n,); all on one device."""
    batches = Batches()
    with torch.inference_mode():
        labels = [batches.run(lambda rows: model(rows).argmax(1), part) for part in inputs.split(1024)]
    return torch.cat(labels)


def accuracy(model, inputs, classes):
    """Share of `inputs` (n, *shape) that get their class, a float."""
    return share(predict(model, inputs), classes)


def share(labels, classes):
    """Share of labels (n,) that are right, a float."""
    return float((labels == classes).sum()) / len(classes)


def model_flag(losses, predicted, tested, classes):
    """Why attacks on a model say little of its training data, "" where nothing speaks against them.

    losses: of each epoch (epochs,); predicted: labels of the members, (n,); tested: labels of points that it was not
    trained on, (m,); classes: their true ones, (m,).

    "diverged": the last loss is not finite. "constant": all points get the same label. "at chance": of the points that
    it was not trained on, no more are right, but for two standard errors, than if all got their most frequent class.
    """
    if not np.isfinite(losses[-1]):
        return "diverged"
    if len(torch.cat([predicted, tested]).unique()) == 1:
        return "constant"
    n, right = len(classes), share(tested, classes)
    most = classes.bincount().max().item() / n
    return "at chance" if right <= most + 2 * (most * (1 - most) / n) ** 0.5 else ""
