"""A fixed grid of mirrored and shifted copies: the queries of the calibrated augmentation attack (Aerni et al. 2024).

With mirroring and shifts by 0, -4 and 4 pixels each way, they are the 18 views of that attack, with the image itself.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from lmia.perturbations.translation import shift

BORDERS = ("black", "repeat")


class Perturbation:
    """All combinations of mirroring, vertical and horizontal shifts, but for the unmodified image.

    flips: whether all shifted copies are asked mirrored left to right, too; shifts: whole pixels down and to the right,
    with 0 among them; border: what comes in at the edges, "black" (0 in pixel units of [0, 1]) or "repeat".

    All copies are of one magnitude, the largest shift: each single answer counts, and none is chosen over another.

    Raises ValueError for shifts without 0, where no copy is left, and for another border.
    """

    unit = "pixels"

    def __init__(self, flips: bool = True, shifts: Sequence[int] = (0, -4, 4), border: str = "black"):
        if 0 not in shifts:
            raise ValueError(f"shifts: expected 0 among them, for views that are not shifted, got {list(shifts)}")
        if border not in BORDERS:
            raise ValueError(f"border: expected one of {', '.join(BORDERS)}, got {border}")
        turns = (False, True) if flips else (False,)
        grid = [(turned, down, right) for turned in turns for down in shifts for right in shifts]
        self._views = [view for view in grid if any(view)]
        if not self._views:
            raise ValueError("shifts: expected another one beside 0, or flips, got a grid of the image alone")
        self._is_black = border == "black"
        self.magnitudes = [float(max(abs(pixels) for pixels in shifts))] * len(self._views)

    def blocks(self, inputs: torch.Tensor, streams: Sequence[np.random.Generator]) -> Iterator[torch.Tensor]:
        """Yields (n, views, channels, height, width): mirroring outermost, then shifts down, then to the right."""
        copies = []
        for turned, down, right in self._views:
            copy = shift(inputs, down, right)
            if self._is_black:
                copy = copy.masked_fill(~_covered(inputs, down, right), 0)
            copies.append(copy.flip(3) if turned else copy)
        yield torch.stack(copies, dim=1)


def _covered(images: torch.Tensor, down: int, right: int) -> torch.Tensor:
    """Which pixels a shifted image (channels, height, width) still covers, bools (height, width)."""
    places = [
        torch.arange(length, device=images.device) - move
        for length, move in zip(images.shape[2:], (down, right), strict=True)
    ]
    rows, columns = ((place >= 0) & (place < len(place)) for place in places)
    return rows[:, None] & columns
