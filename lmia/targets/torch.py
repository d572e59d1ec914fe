"""The weights of a torch model, whose architecture is an entry of its own."""

import os

import torch
from torch import nn

SHOWN = 3  # names in a message


def load(network: nn.Module, path: str | os.PathLike[str]) -> None:
    """Put the weights of a file into a network of the same architecture.

    path: of a `state_dict`, as `torch.save(model.state_dict(), path)` writes it. It is unpickled as data alone: a file
    that holds anything else than tensors and plain values is refused.

    Raises ValueError where it is none, or of another architecture, and OSError where there is no such file.
    """
    fill(network, _read(path))


def _prefix(own: dict[str, torch.Tensor], state: dict[str, torch.Tensor]) -> str | None:
    """What all names of a file have before a model's, as where a wrapper of it was saved; None if not all have it."""
    first, *_ = [*map(str, state), ""]
    found = next((first.removesuffix(name) for name in own if first.endswith(f".{name}")), None)
    return found if found and {f"{found}{name}" for name in own} == state.keys() else None


def fill(network: nn.Module, state: object) -> None:
    """Put weights into a network. Raises ValueError where they are no `state_dict`, or of another architecture."""
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        keys = f" with the keys {_named(list(state))}" if isinstance(state, dict) else ""
        raise ValueError(
            f"expected a state_dict of tensors, got {type(state).__name__}{keys}; "
            "write it by torch.save(model.state_dict(), path)"
        )
    own = network.state_dict()
    missing, unknown = [[name for name in a if name not in b] for a, b in ((own, state), (state, own))]
    if missing or unknown:
        if (prefix := _prefix(own, state)) is not None:
            raise ValueError(
                f"all names in the file begin with {prefix!r}, as a wrapper gives: save the wrapped model's state_dict"
            )
        lacks = [f"lacks {_named(missing)}"] * bool(missing) + [f"has {_named(unknown)} beside"] * bool(unknown)
        raise ValueError(f"the file {' and '.join(lacks)}: it is of another architecture than the model that is built")
    for name, value in own.items():
        if value.shape != state[name].shape:
            raise ValueError(
                f"{name}: expected shape {tuple(value.shape)}, as the model is built, got {tuple(state[name].shape)}; "
                "is it built with the options of its training, for as many classes?"
            )
        if state[name].layout is not value.layout or state[name].is_floating_point() != value.is_floating_point():
            raise ValueError(
                f"{name}: expected numbers as {value.dtype}, as the model is built, got {state[name].dtype} "
                f"({state[name].layout}); save the weights as plain floats"
            )
    network.load_state_dict(state)


def fill_from(network: nn.Module, trained: object) -> None:
    """Put the weights of another network into one of the same architecture. Raises ValueError where it is none."""
    if not isinstance(trained, nn.Module):
        raise ValueError(f"expected a torch.nn.Module of the target's architecture, got {type(trained).__name__}")
    try:
        fill(network, trained.state_dict())
    except ValueError as error:
        raise ValueError(f"trained another architecture than that of the target: {error}") from error


def _read(path: str | os.PathLike[str]) -> object:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # whatever a file that is none makes unpickling raise, with advice that is not safe
        raise ValueError(
            "expected a state_dict, as torch.save(model.state_dict(), path) writes it; what else a file may hold, such "
            "as a whole model, is never unpickled"
        ) from error


def _named(names: list) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(str, names[:SHOWN])) + more
