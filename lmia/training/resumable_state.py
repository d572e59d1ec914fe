"""Where training stands at the end of an epoch, as arrays from which it can resume."""

import numpy as np
import torch
from torch import nn

from lmia.defenses import base
from lmia.training.optimizers import Adam, Sgd


def moving_tensors(model: nn.Module, optimizer: Adam | Sgd | None, defense: base.Defense) -> dict[str, torch.Tensor]:
    """All tensors that change in training, by name.

    optimizer: None where the defense moves the weights; defense: after its `stepper`.
    """
    named = {f"model/{name}": tensor for name, tensor in (*model.named_parameters(), *model.named_buffers())}
    named |= {f"optimizer/{number}": tensor for number, tensor in enumerate(optimizer.tensors() if optimizer else ())}
    return named | {f"defense/{name}": tensor for name, tensor in defense.tensors().items()}


def to_arrays(tensors: dict[str, torch.Tensor], losses: list[float]) -> dict[str, np.ndarray]:
    """The tensors of `moving_tensors`, the mean loss of each epoch, and torch's random streams, as named arrays."""
    arrays = {name: tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}
    arrays |= {"losses": np.array(losses), "random": torch.get_rng_state().numpy()}
    if device := _gpu(tensors):
        arrays["random_gpu"] = torch.cuda.get_rng_state(device).numpy()
    return arrays


def restore(tensors: dict[str, torch.Tensor], arrays: dict[str, np.ndarray]) -> list[float]:
    """Put tensors and random streams back to what `to_arrays` gave; returns the losses."""
    with torch.no_grad():
        for name, tensor in tensors.items():
            tensor.copy_(torch.from_numpy(arrays[name]))
    torch.set_rng_state(torch.from_numpy(arrays["random"]))
    if device := _gpu(tensors):
        torch.cuda.set_rng_state(torch.from_numpy(arrays["random_gpu"]), device)
    return arrays["losses"].tolist()


def _gpu(tensors: dict[str, torch.Tensor]) -> torch.device | None:
    return next((tensor.device for tensor in tensors.values() if tensor.is_cuda), None)
