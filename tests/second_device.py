"""A device that is none: its tensors say that they are on "meta", keep their values on the CPU, and mix with no others.

Where code forgets to bring a tensor to the model's device, a test without a GPU fails as a GPU would.
"""

import contextlib

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_flatten, tree_map_only

DEVICE = torch.device("meta")


class Held(torch.Tensor):
    """A tensor on that device."""

    @staticmethod
    def __new__(cls, values):
        return torch.Tensor._make_wrapper_subclass(
            cls,
            values.shape,
            strides=values.stride(),
            storage_offset=values.storage_offset(),
            dtype=values.dtype,
            device=DEVICE,
            requires_grad=values.requires_grad,
        )

    def __init__(self, values):
        self.values_on_cpu = values

    @classmethod
    def __torch_dispatch__(cls, function, types, arguments=(), named=None):
        return run(function, arguments, named or {})

    def tolist(self):
        return self.cpu().tolist()

    def new_tensor(self, data, *, dtype=None, device=None, **named):
        return _tensor(data, dtype=dtype or self.dtype, device=device or self.device, **named)


class _Mode(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        return run(function, arguments, named or {})


PLAIN = torch.tensor


def _tensor(data, *arguments, device=None, **named):
    """torch.tensor, which asks nobody who holds the values."""
    made = PLAIN(data, *arguments, **named)
    return made if device is None else made.to(device)


@contextlib.contextmanager
def second_device():
    """In the body there is such a device. Inference mode, whose tensors cannot be wrapped, is no_grad."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "tensor", _tensor)
        # A module that is moved or converted gets new parameters: the values of one would stay what they were.
        patch.setattr(torch.__future__, "_overwrite_module_params_on_conversion", True)
        patch.setattr(torch.inference_mode, "__enter__", torch.no_grad.__enter__)
        patch.setattr(torch.inference_mode, "__exit__", torch.no_grad.__exit__)
        with _Mode():
            yield DEVICE


TRANSFERS = ("aten::_to_copy", "aten::copy_")
INDEXING = ("aten::index", "aten::index_put_", "aten::index_put", "aten::_index_put_impl_")  # indices may be on the CPU


def run(function, arguments, named):
    """Call an operator on the values; RuntimeError where its tensors are on both devices."""
    name, device = function._schema.name, named.get("device")
    tensors = [value for value in tree_flatten((arguments, named))[0] if isinstance(value, torch.Tensor)]
    held = [isinstance(tensor, Held) for tensor in tensors]
    if name not in TRANSFERS + INDEXING and any(held):
        strangers = [tensor for tensor, here in zip(tensors, held, strict=True) if not here and tensor.ndim]
        if strangers:
            raise RuntimeError(f"{name}: expected all tensors on one device, {strangers[0].shape} is on the CPU")
    inner, inner_named = tree_map_only(Held, lambda tensor: tensor.values_on_cpu, (arguments, named))
    if device is not None:
        inner_named = inner_named | {"device": torch.device("cpu")}
    result = function(*inner, **inner_named)
    here = any(held) if device is None else torch.device(device) == DEVICE
    if name == "aten::copy_":
        here = held[0]
    if not here:
        return result
    result = tree_map_only(torch.Tensor, Held, result)
    return return_and_correct_aliasing(function, arguments, named, result)
