"""Whether a network can be trained, kept and asked: found in a second on a few points, before hours of training."""

import math
from collections.abc import Callable

import torch
from torch import nn

from lmia.devices import device_of
from lmia.interfaces import ModelBuilder
from lmia.memory_batches import Batches

POINTS = 8  # asked about, of a fresh model
# Asked about at once, of one that is trained: as many as queries send together, so that what fits there does here.
BATCH, BATCH_FLOATS = (64, 1024), 1 << 18  # least and most inputs, and values in between
ROUNDING = 1e-3  # of the largest logit: what another shape of the batch may change, with room


def check_model(build: ModelBuilder, inputs: torch.Tensor, n_classes: int, seed: int = 0) -> list[str]:
    """Ask a fresh model about a few points, and raise ValueError where its answers cannot be used.

    build: (shape, n_classes) -> module; inputs: float32 (n, *shape), as it is to be trained on, of which the first few
    are used. The module must map them to finite logits (n, n_classes), within rounding the same if asked again, alone,
    or with its parameters and buffers loaded into another one; it must have parameters to train, and pass gradients on.
    seed: of its weights; torch's global random state stays as it was.

    Returns remarks on what is allowed and rarely meant, a list of str. What `build` or the module raise passes.
    """
    points = inputs[:POINTS].clone()
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model, other = _built(build, inputs, n_classes), _built(build, inputs, n_classes)
        logits = _answers(model, points, n_classes)
        if not torch.isfinite(logits).all():
            raise ValueError(f"expected finite logits, got {logits[~torch.isfinite(logits)][0]:g} of a fresh model")
        _check_repeats(model, points, logits)
        _check_restored(model, other, points, logits)
        _check_gradients(other, points, n_classes)
    looks = "its answers look like probabilities; training expects logits, and applies softmax itself"
    return [looks] if _are_probabilities(logits) else []


def _built(build: ModelBuilder, inputs: torch.Tensor, n_classes: int) -> nn.Module:
    model = build(inputs.shape[1:], n_classes)
    if not isinstance(model, nn.Module):
        raise ValueError(f"expected a torch.nn.Module from build(), got {type(model).__name__}")
    return model


def check_answers(model: nn.Module, inputs: torch.Tensor, n_classes: int) -> list[str]:
    """Raise ValueError where a model that is trained already cannot be asked: see `check_model` for how it must answer.

    model: in evaluation mode; inputs: float32 (n, *shape), on any device, of which the first few are asked about again.

    Returns flags, a list of str: "gives probabilities" where what it gives are no logits, so that confidences, to which
    softmax is applied, are none of its own.
    """
    logits = _in_batches(lambda points: _answers(model, points, n_classes), model, inputs)
    if not (is_finite := torch.isfinite(logits)).all():
        example = int(is_finite.all(1).int().argmin())
        raise ValueError(f"expected finite logits, got {logits[~is_finite][0]:g}, first for example {example}")
    points = inputs[:POINTS].to(device_of(model), copy=True)
    _check_repeats(model, points, _answers(model, points, n_classes))
    return ["gives probabilities"] if _are_probabilities(logits) else []


@torch.inference_mode()
def labels_of(model: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    """The labels (n,), int64 on the CPU, that a model in evaluation mode gives to inputs (n, *shape) on any device."""
    return _in_batches(lambda points: model(points).argmax(1), model, inputs).cpu()


def _in_batches(
    function: Callable[[torch.Tensor], torch.Tensor], model: nn.Module, inputs: torch.Tensor
) -> torch.Tensor:
    """What a function gives for inputs (n, *shape), of which some at a time are brought to the model's device."""
    device, batches, parts = device_of(model), Batches(), inputs.split(batch_of(math.prod(inputs.shape[1:])))
    return torch.cat([batches.run(function, part.to(device)) for part in parts])


def batch_of(size: int) -> int:
    """Most inputs of `size` values that are asked about at once."""
    least, most = BATCH
    return min(most, max(least, BATCH_FLOATS // max(1, size)))


def _are_probabilities(logits: torch.Tensor) -> bool:
    total = logits.sum(1)
    return bool((logits >= 0).all()) and torch.allclose(total, torch.ones_like(total), atol=1e-4)


@torch.inference_mode()
def _answers(model: nn.Module, points: torch.Tensor, n_classes: int) -> torch.Tensor:
    return _as_logits(model.eval()(points), len(points), n_classes)


def _as_logits(answers: object, n: int, n_classes: int) -> torch.Tensor:
    if not isinstance(answers, torch.Tensor) or not answers.is_floating_point():
        got = answers.dtype if isinstance(answers, torch.Tensor) else type(answers).__name__
        raise ValueError(f"expected logits as a tensor of floats, got {got}")
    if answers.shape != (n, n_classes):
        raise ValueError(
            f"expected logits of shape {(n, n_classes)} for {n} inputs of {n_classes} classes, "
            f"got {tuple(answers.shape)}; mend its last layer"
        )
    return answers


def _differ(some: torch.Tensor, others: torch.Tensor) -> bool:
    return not bool((some - others).abs().max() <= ROUNDING * others.abs().max())  # also where some are no numbers


def _check_repeats(model: nn.Module, points: torch.Tensor, logits: torch.Tensor) -> None:
    if _differ(_answers(model, points, logits.shape[1]), logits):
        raise ValueError("answers otherwise when asked again; let nothing be random, or learn, in evaluation mode")
    alone = torch.cat([_answers(model, point[None], logits.shape[1]) for point in points])
    if _differ(alone, logits):
        raise ValueError("answers otherwise when asked alone; let no example see its batch in evaluation mode")


def _check_restored(model: nn.Module, other: nn.Module, points: torch.Tensor, logits: torch.Tensor) -> None:
    """What is kept of a trained model is its `state_dict`, loaded into a fresh one."""
    try:
        other.load_state_dict(model.state_dict())
    except RuntimeError as error:
        raise ValueError(f"two models of one build() differ in their parameters ({error}); let it build one") from error
    if _differ(_answers(other, points, logits.shape[1]), logits):
        raise ValueError(
            "answers otherwise once its parameters and buffers are loaded into another; keep all that it computes with "
            "in these (register_buffer), and draw nothing else in build()"
        )


def _check_gradients(model: nn.Module, points: torch.Tensor, n_classes: int) -> None:
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError("has no parameters to train; make its weights torch.nn.Parameter")
    logits = _as_logits(model.train()(points), len(points), n_classes)
    if not logits.requires_grad:
        raise ValueError("its answers in training mode have no gradient; do not detach them")
    torch.logsumexp(logits, 1).sum().backward()
