"""The unmodified input alone: all that the gap attack asks."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch


class Perturbation:
    """No query beyond the input itself."""

    unit = "queries"
    magnitudes = ()

    def blocks(self, inputs: torch.Tensor, streams: Sequence[np.random.Generator]) -> Iterator[torch.Tensor]:
        """Yields nothing."""
        return iter(())
