"""A model that answers by a vote over noisy copies of what it is asked, so that labels around a point are one label."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from lmia.box import UNIT, Box
from lmia.streams import stream

COPIES, SIGMA = "vote_copies", "vote_sigma"  # what a defense reports, and an artifact of models keeps


class Voting(nn.Module):
    """The labels that most of a model's answers around an input have.

    The copies are an input plus noise, N(0, sigma^2) for each value, clipped to the box. The noise is drawn once and is
    the same for all inputs, so asking again gives the same label. Of equally many votes the mean probability decides.

    Args:
        network: (m, *shape) -> logits (m, n_classes), kept as `trained`.
        shape: Of an input.
        sigma: In units of the box's size.
        copies: How many vote.
        box: That inputs lie in.
    """

    noise: torch.Tensor

    def __init__(self, network: nn.Module, shape: tuple[int, ...], sigma: float, copies: int, box: Box = UNIT):
        super().__init__()
        self.trained, self._box = network, box
        drawn = stream(0, "noise of votes").standard_normal((copies, *shape), dtype=np.float32)
        self.register_buffer("noise", torch.from_numpy(sigma * box.size * drawn).to(torch.float32), persistent=False)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits (m, n_classes): logarithms of shares of the votes, with the mean probability as one vote more."""
        total = torch.zeros((), device=inputs.device)
        for noise in self.noise:
            copies = self._box.clip_((inputs + noise).flatten(1)).view(inputs.shape)
            probabilities = self.trained(copies).softmax(1)
            vote = nn.functional.one_hot(probabilities.argmax(1), probabilities.shape[1])
            total = total + vote + probabilities / len(self.noise)
        least = torch.finfo(total.dtype).tiny  # or gradients of a class that no copy gives a chance are no numbers
        return (total / (len(self.noise) + 1)).clamp_min(least).log()


def as_trained(network: nn.Module) -> nn.Module:
    """The network under a vote, or the network itself."""
    return network.trained if isinstance(network, Voting) else network


def as_answered(network: nn.Module, numbers: Mapping[str, float], shape: tuple[int, ...], box: Box = UNIT) -> nn.Module:
    """A trained network as it answers whoever asks: by a vote where its defense has reported one, else itself.

    numbers: what its defense has reported, or more.
    """
    if COPIES not in numbers:
        return network
    return Voting(network, shape, float(numbers[SIGMA]), int(numbers[COPIES]), box).eval()
