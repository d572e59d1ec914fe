"""Train one classifier to the end, as the paper does: until the training loss stops falling."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import count

import numpy as np
import torch
from torch import nn

from lmia.defenses import base
from lmia.interfaces import ModelBuilder
from lmia.journal import Journal
from lmia.memory_batches import Batches
from lmia.training.cuda_graphs import GraphedStep, Step
from lmia.training.optimizers import OPTIMIZERS, Adam, Sgd
from lmia.training.options import TrainingOptions
from lmia.training.resumable_state import moving_tensors, restore, to_arrays


class BatchOfOne(ValueError):
    """An epoch ends with a batch of one example, on which a model that normalises by its batch cannot be trained."""


def train(
    build: ModelBuilder,
    inputs: torch.Tensor,
    classes: torch.Tensor,
    n_classes: int,
    seed: int,
    defense: base.Defense,
    options: TrainingOptions,
    journal: Journal | None = None,
) -> tuple[nn.Module, np.ndarray]:
    """Fit a new model on cross-entropy, and stop once the loss has not improved for a while, or is not finite.

    Args:
        build: (shape, n_classes) -> module.
        inputs: float32 (n, *shape), on the device that is to train.
        classes: int64 (n,), on the same device.
        n_classes: how many there are.
        seed: int >= 0, of weights, batch order and all that the defense draws.
        defense: of a class derived from `lmia.defenses.base.Defense`, for this model alone.
        options: how to train.
        journal: of this model; training resumes after the last epoch in it. None for none.

    Returns (model in evaluation mode, mean loss of each epoch, float64 (epochs,)). Where the last loss is not finite,
    training has diverged, and the model is as that epoch left it. That is no error, so that one hopeless setting of
    many costs no other its result; `model_flag` tells. Equal arguments give equal bytes on a CPU with as many threads;
    torch's global random state stays as it was.

    Raises TypeError for another defense, ValueError where it cannot train on such inputs, BatchOfOne, before the first
    step, where a batch is too small for the model, and MemoryError where one is too large for a GPU.
    """
    if not isinstance(defense, base.Defense):
        raise TypeError(f"defense: expected a class derived from lmia.defenses.base.Defense, got {type(defense)}")
    defense.check(inputs.shape[1:])
    # Convolutions are faster with channels last, and a shift then gathers whole pixels.
    layout = torch.channels_last if inputs.ndim == 4 and defense.channels_last else torch.contiguous_format
    inputs = inputs.contiguous(memory_format=layout)
    # The global stream, as initialisers and dropout know no other; it is put back at the end.
    with torch.random.fork_rng([inputs.device] if inputs.is_cuda else []):
        torch.manual_seed(seed)
        model = build(inputs.shape[1:], n_classes).train().to(inputs.device, memory_format=layout)
        defense.prepare(model, n_classes, len(inputs))
        _check_least_batch(model, inputs, defense, options.batch_size)
        step, tensors = _build_step(model, defense, options)
        epoch = partial(_train_epoch, step, defense, inputs, classes, options.batch_size)
        losses = _train_epochs(epoch, tensors, defense.epochs, options, journal or Journal())
        defense.finish(model)
    return model.eval().to(memory_format=torch.contiguous_format), np.array(losses)


def _build_step(
    model: nn.Module, defense: base.Defense, options: TrainingOptions
) -> tuple[Step, Callable[[], dict[str, torch.Tensor]]]:
    """The function that trains on one batch, and () -> all tensors that it changes, by name.

    The tensors are to be asked for each time, as a model may put a new one where a buffer was.
    """
    if step := defense.stepper(model):
        return step, lambda: moving_tensors(model, None, defense)
    moving = [parameter for parameter in model.parameters() if parameter.requires_grad]
    weight_decay = options.weight_decay + defense.weight_decay
    optimizer = OPTIMIZERS[options.optimizer](moving, options.learning_rate, weight_decay)
    tensors = partial(moving_tensors, model, optimizer, defense)
    step = _plain_step(model, defense, optimizer, options.precision)
    is_graphed = defense.graphable and moving[0].is_cuda
    return GraphedStep(step, tensors) if is_graphed else step, tensors


def _plain_step(model: nn.Module, defense: base.Defense, optimizer: Adam | Sgd, precision: str) -> Step:
    """The function of a batch (inputs, classes) that moves the weights once, and returns its loss."""
    loss_of = defense.loss
    if precision == "bfloat16":  # but for the loss itself
        loss_of = torch.autocast(next(model.parameters()).device.type, torch.bfloat16)(loss_of)

    def step(x, y):
        loss = loss_of(model, x, y) + defense.penalty(model)
        optimizer(loss)
        return loss.detach()

    return step


def _train_epochs(
    epoch: Callable[[], float],
    tensors: Callable[[], dict[str, torch.Tensor]],
    exactly: int | None,
    options: TrainingOptions,
    journal: Journal,
) -> list[float]:
    """Train until it is time to stop; returns the mean losses of all epochs, those in the journal included.

    Args:
        epoch: trains for one epoch, and returns its mean loss.
        tensors: () -> all that training changes, by name.
        exactly: how many epochs the defense asks for, None for none.
        options: when to stop.
        journal: of this training.
    """
    kept = journal.get()
    losses = [] if kept is None else restore(tensors(), kept)
    longest = exactly or options.max_epochs
    stopping = EarlyStopping(options.min_delta, exactly or options.patience, losses)
    while len(losses) < longest and not stopping.is_over:
        losses.append(epoch())
        stopping.note(losses[-1])
        journal.save(lambda: to_arrays(tensors(), losses))
    if not np.isfinite(losses[-1]):
        print(
            f"training diverged: the mean loss of epoch {len(losses)} is {losses[-1]}; it stops here, and the "
            "model is kept and flagged; lower learning_rate, or what the defense adds to the loss"
        )
    journal.finish(to_arrays(tensors(), losses))
    return losses


def _train_epoch(
    step: Step, defense: base.Defense, inputs: torch.Tensor, classes: torch.Tensor, batch_size: int
) -> float:
    """Train on all batches of one epoch; returns the mean loss per example."""
    losses, sizes = [], []
    for views in defense.batches(len(inputs) * defense.views_per_epoch, batch_size):
        losses.append(_train_batch(step, *_show(defense, inputs, classes, views)))
        sizes.append(len(views))
    weighted = zip(torch.stack(losses).tolist(), sizes, strict=True)  # only now is the device waited for
    return sum(loss * size for loss, size in weighted) / sum(sizes)


def _show(
    defense: base.Defense, inputs: torch.Tensor, classes: torch.Tensor, views: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The (inputs, classes) of one batch."""
    views, n = views.to(inputs.device), len(inputs)
    rows = views % n
    return defense.view(inputs, rows, views // n), classes[rows]


def _train_batch(step: Step, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Train on a batch; returns its loss, which stays on the device."""
    try:
        return step(x, y)
    except torch.OutOfMemoryError as error:  # in halves it would be another training: batch norm, mixup, dropout
        raise MemoryError(
            f"out of memory with a batch of {len(x)}: set batch_size to {len(x) // 2 or 1} or less, which trains "
            "another model, or device: cpu"
        ) from error


class EarlyStopping:
    """Waits for an epoch whose mean loss is at least `min_delta` below the best, for `patience` epochs.

    After a loss that is not finite there is nothing to wait for. losses: of the epochs so far.
    """

    def __init__(self, min_delta: float, patience: int, losses: list[float]):
        self._min_delta, self._patience, self._best, self._waited = min_delta, patience, np.inf, 0
        for loss in losses:
            self.note(loss)

    @property
    def is_over(self) -> bool:
        return self._waited >= self._patience

    def note(self, loss: float) -> None:
        """One more epoch is done."""
        if loss < self._best - self._min_delta:
            self._best, self._waited = loss, 0
        else:
            self._waited = self._waited + 1 if np.isfinite(loss) else self._patience


@torch.no_grad()
def _check_least_batch(model: nn.Module, inputs: torch.Tensor, defense: base.Defense, batch_size: int) -> None:
    """Raise BatchOfOne if a batch of one is coming, and the model, as it will be trained, refuses it.

    Only where it is coming is the model asked; its buffers and the random streams stay as they were.
    """
    views = len(inputs) * defense.views_per_epoch
    is_coming = 1 in (views, batch_size, views % batch_size)
    if not is_coming or type(defense).batches is not base.Defense.batches:  # batches of its own may be of any size
        return
    kept = [buffer.clone() for buffer in model.buffers()]
    try:
        with torch.random.fork_rng([inputs.device] if inputs.is_cuda else []):
            model(inputs[:1].clone())  # or what it does in place would stay
    except ValueError as error:
        raise BatchOfOne(_explain_batch_of_one(len(inputs), views, batch_size, error)) from error
    finally:
        for buffer, value in zip(model.buffers(), kept, strict=True):
            buffer.copy_(value)


def _explain_batch_of_one(n: int, views: int, batch_size: int, error: ValueError) -> str:
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


def predict(model: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    """The labels that `inputs` (n, *shape) get, int64 (n,); all on one device."""
    batches = Batches()
    with torch.inference_mode():
        labels = [batches.run(lambda rows: model(rows).argmax(1), part) for part in inputs.split(1024)]
    return torch.cat(labels)


def accuracy(model: nn.Module, inputs: torch.Tensor, classes: torch.Tensor) -> float:
    """Share of `inputs` (n, *shape) that get their class, a float."""
    return share(predict(model, inputs), classes)


def share(labels: torch.Tensor, classes: torch.Tensor) -> float:
    """Share of labels (n,) that are right, a float."""
    return float((labels == classes).sum()) / len(classes)


def model_flag(
    losses: Sequence[float] | np.ndarray, predicted: torch.Tensor, tested: torch.Tensor, classes: torch.Tensor
) -> str:
    """Why attacks on a model say little of its training data, "" where nothing speaks against them.

    losses: of each epoch (epochs,); the others: see `labels_flag`.

    "diverged": the last loss is not finite; else what `labels_flag` says.
    """
    return labels_flag(predicted, tested, classes) if np.isfinite(losses[-1]) else "diverged"


def labels_flag(predicted: torch.Tensor, tested: torch.Tensor, classes: torch.Tensor) -> str:
    """Why labels of a model say little of its training data, "" where nothing speaks against them.

    predicted: labels of the members, (n,); tested: labels of points that it was not trained on, (m,); classes: their
    true ones, (m,).

    "constant": all points get the same label. "at chance": on points that it was not trained on, it is not more
    accurate by two standard errors than always giving their most frequent class.
    """
    if len(torch.cat([predicted, tested]).unique()) == 1:
        return "constant"
    n, right = len(classes), share(tested, classes)
    most = classes.bincount().max().item() / n
    return "at chance" if right <= most + 2 * (most * (1 - most) / n) ** 0.5 else ""
