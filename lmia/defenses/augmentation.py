"""Data augmentation (section 6.2 and figures 3, 4 and S8 of the paper): the members are seen shifted, flipped, cut."""

import torch

from lmia.defenses import base
from lmia.image_augmentation import check_moves, cut, mirrored, moved, shifts

VIEWS = ("all", "random")


class Defense(base.Defense):
    """Images that move while a model trains on them.

    pixels: d, of shifts; views: "all", an epoch holds every image and its 4d shifts by |i| + |j| = d, as the paper
    trains; "random", it holds every image once, shifted by up to d down or up and up to d right or left; flips: each
    image is mirrored left to right half of the time; cutout: side, in pixels, of a grey square over each image, around
    a random pixel of it (DeVries and Taylor 2017); 0 is none. FixMatch's is "random", 4 pixels, flips, cutout of 16.
    """

    graphable = True

    def __init__(self, pixels: int, views: str = "all", flips: bool = False, cutout: int = 0):
        if views not in VIEWS:
            raise ValueError(f"views: {views}: expected one of {', '.join(VIEWS)}")
        self._pixels, self._flips, self._cutout = pixels, flips, cutout
        self._offsets = torch.tensor([(0, 0), *shifts(pixels)]) if views == "all" and pixels else None
        self.views_per_epoch = 1 if self._offsets is None else len(self._offsets)

    def check(self, shape: tuple[int, ...]) -> None:
        check_moves(shape)

    def view(self, inputs: torch.Tensor, rows: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        """(m, channels, height, width), in channels-last memory."""
        if self._offsets is not None:
            moves = self._offsets.to(times.device)[times]
        else:
            moves = torch.randint(-self._pixels, self._pixels + 1, (len(rows), 2)).to(rows.device)
        images = moved(inputs, rows, moves)
        if self._flips:
            images = mirrored(images, (torch.rand(len(rows)) < 0.5).to(rows.device))
        if self._cutout:
            middles = [torch.randint(size, (len(rows),)) for size in images.shape[2:]]
            images = cut(images, torch.stack(middles, 1).to(rows.device), self._cutout)
        return images
