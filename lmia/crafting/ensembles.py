"""Several models of an attacker's own as one."""

from collections.abc import Callable, Sequence

import torch

Logits = Callable[[torch.Tensor], torch.Tensor]  # of points (m, *shape), (m, n_classes)


def prepared(model: torch.nn.Module) -> Logits:
    """A model's logits, in evaluation mode and, where it has convolutions, in channels-last memory order."""
    model = model.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in torch's hints

    def logits(points: torch.Tensor) -> torch.Tensor:
        return model(points.contiguous(memory_format=torch.channels_last) if points.ndim == 4 else points)

    return logits


def mean_logits(models: Sequence[torch.nn.Module]) -> Logits:
    """The mean of the models' logits."""
    ready = [prepared(model) for model in models]
    return lambda points: sum(logits(points) for logits in ready) / len(ready)  # type: ignore - no int but sum's 0


def log_odds_against(logits: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Of all other classes together, (m,): logits (m, n_classes), classes ints (m,)."""
    true = classes[:, None]
    return (logits.scatter(1, true, -torch.inf).logsumexp(1, keepdim=True) - logits.gather(1, true))[:, 0]
