"""Random augmentations as a model was trained with (figure 4 of the paper): shifts, mirrored, cut."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from lmia.image_augmentation import cut, mirrored, moved
from lmia.perturbations import columns
from lmia.perturbations.images import image_size


class Perturbation:
    """Copies that are each shifted, mirrored and cut at random; those of `defenses.augmentation` with views at random.

    pixels: the magnitudes d >= 0, of shifts by up to d down or up and up to d right or left; samples: queries for each;
    flips: whether half of them are mirrored; cutout: side, in pixels, of a grey square, 0 for none.
    """

    unit = "pixels"

    def __init__(self, pixels: Sequence[int], samples: int, flips: bool = True, cutout: int = 0):
        self._pixels, self._samples, self._flips, self._cutout = pixels, samples, flips, cutout
        self.magnitudes = [float(d) for d in pixels for _ in range(samples)]

    def blocks(self, inputs: torch.Tensor, streams: Sequence[np.random.Generator]) -> Iterator[torch.Tensor]:
        """Yields (n, k, channels, height, width), k consecutive samples of one magnitude."""
        size = torch.tensor(image_size(inputs), device=inputs.device)
        for pixels in self._pixels:
            for k in columns(inputs[0].numel(), self._samples):
                draws = np.concatenate([stream.random((k, 5)) for stream in streams])
                draws = torch.from_numpy(draws).to(inputs.device)
                rows = torch.arange(len(inputs), device=inputs.device).repeat_interleave(k)
                images = moved(inputs, rows, (draws[:, :2] * (2 * pixels + 1)).long() - pixels)
                images = mirrored(images, draws[:, 2] < 0.5) if self._flips else images
                images = cut(images, (draws[:, 3:] * size).long(), self._cutout) if self._cutout else images
                yield images.unflatten(0, (len(inputs), k))
