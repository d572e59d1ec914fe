"""Models of several seeds as named arrays, and back."""

from pathlib import Path

import numpy as np
import torch

from lmia import artifacts


def to_arrays(model: torch.nn.Module, seed: int) -> dict[str, np.ndarray]:
    """The model's parameters and buffers, "<seed>/<name>" -> array."""
    return {f"{seed}/{name}": value.cpu().numpy() for name, value in model.state_dict().items()}


def weights(arrays: dict[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
    """The arrays of one seed, by the names of `state_dict`."""
    prefix = f"{seed}/"
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}


def load_first(path: str | Path) -> dict[str, np.ndarray]:
    """Weights of the first model of an artifact of models, by the names of `state_dict`."""
    arrays, provenance = artifacts.load(path, "model")
    return weights(arrays, provenance["seeds"][0])


def restore(model: torch.nn.Module, arrays: dict[str, np.ndarray], seed: int) -> torch.nn.Module:
    """Load the arrays of one seed into a freshly built model; returns it in evaluation mode.

    Raises KeyError or RuntimeError where the arrays are those of another architecture.
    """
    state = {name: torch.from_numpy(arrays[f"{seed}/{name}"]) for name in model.state_dict()}
    model.load_state_dict(state)
    return model.eval()
