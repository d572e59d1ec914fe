"""A model in TorchScript, which brings its architecture along.

Such a file is a program: its operators can write files, for one. So it is run only where somebody states its SHA-256.
"""

import hashlib
import io
import os

import numpy as np
import torch
from torch import nn

CPU = torch.device("cpu")


class Scripted(nn.Module):
    """What a file holds, kept as its bytes: they are the only entry of the `state_dict`.

    trust: SHA-256 of the bytes that may be run, in hexadecimal digits; device: on which they are loaded. What is frozen
    has no parameters and stays there, so inputs are moved to it, and answers back to where these came from.
    """

    def __init__(self, trust: str, device: torch.device) -> None:
        super().__init__()
        self._trust, self._device, self._bytes = trust, device, torch.empty(0, dtype=torch.uint8)

    def state_dict(self, *args, **kwargs) -> dict[str, torch.Tensor]:
        """Without the parameters, which are among the bytes."""
        return {"file": self._bytes}

    def load_state_dict(self, state_dict, strict: bool = True, assign: bool = False) -> None:
        """Raises ValueError where the bytes are others than are trusted, or no TorchScript."""
        self._bytes = state_dict["file"]
        content = self._bytes.numpy().tobytes()
        if (found := hashlib.sha256(content).hexdigest()) != self._trust:
            raise ValueError(f"expected the file whose SHA-256 is {self._trust}, got {found}; it is not run")
        try:
            self.network = torch.jit.load(io.BytesIO(content), map_location=self._device)
        except Exception as error:  # a RuntimeError, most often, of many lines
            reason = str(error).partition("\n")[0] or type(error).__name__
            advice = "; these look like weights: write kind: torch" if _are_weights(content) else ""
            raise ValueError(f"expected a file of torch.jit.save ({reason}){advice}") from error

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Raises ValueError where the program fails, as one does that was saved for other numbers than float32, and
        OutOfMemoryError as torch does: those who ask then ask about less at once.
        """
        device = next((parameter.device for parameter in self.network.parameters()), self._device)
        try:
            return self.network(inputs.to(device)).to(inputs.device)
        except RuntimeError as error:
            reason = str(error).strip().rpartition("\n")[2]
            if "out of memory" in str(error):  # a program's own error is a plain RuntimeError
                raise torch.OutOfMemoryError(reason) from error
            raise ValueError(
                f"expected a model that takes {inputs.dtype} of shape {tuple(inputs.shape)} ({reason})"
            ) from error


def _are_weights(content: bytes) -> bool:
    try:
        torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception:  # whatever other files make it raise
        return False
    return True


def build(shape: tuple[int, ...], n_classes: int, trust: str, job_device: torch.device = CPU) -> nn.Module:
    """An empty model, to be loaded. trust, job_device: see `Scripted`."""
    return Scripted(trust, job_device)


def load(network: nn.Module, path: str | os.PathLike[str]) -> None:
    """Read a file, as `torch.jit.save` writes it.

    Raises ValueError where it is another than is trusted, or none, and OSError where there is no such file.
    """
    network.load_state_dict({"file": torch.from_numpy(np.fromfile(path, dtype=np.uint8))})
