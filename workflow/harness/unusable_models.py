"""Whether a model can be used, asked once more where one is trained.

A check decides whether there is a result, and not which, so its code is in no hash: rule check_study reports what it
finds, and no training waits for that or is repeated for it.
"""

from collections.abc import Callable

import numpy as np
import torch

from lmia.models.usability import check_model
from workflow.harness.errors import bad_input


def refuse_unusable(build: Callable[..., torch.nn.Module], inputs: np.ndarray, n_classes: int, name: str) -> None:
    """End the job with one line where a model cannot be trained, kept and asked.

    build: (shape, n_classes) -> module; inputs: float32 array (n, *shape); name: of the model in the configuration.
    """
    with bad_input(f"models.{name}, on inputs of shape {list(inputs.shape[1:])}"):
        check_model(build, torch.from_numpy(inputs), n_classes)
