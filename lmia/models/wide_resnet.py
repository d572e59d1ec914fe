"""Wide residual network (Zagoruyko and Komodakis 2016) in the form of FixMatch (Sohn et al. 2020), for figure 4."""

import torch
from torch import nn

SLOPE = 0.1  # of the leaky ReLU
NORMS = {
    "batch": lambda filters: nn.BatchNorm2d(filters, momentum=0.1),
    "group": lambda filters: nn.GroupNorm(filters // 8, filters),
}


def build(
    shape: tuple[int, ...], n_classes: int, depth: int = 28, width: int = 2, norm: str = "batch"
) -> nn.Sequential:
    """A 3x3 convolution of 16 filters, three groups of pre-activation blocks, mean over the image, logits.

    The second and the third group halve height and width.

    Args:
        shape: (channels, height, width) of one input.
        n_classes: logits.
        depth: convolutions along the way, 6 k + 4 with k blocks in each group.
        width: the groups have 16, 32 and 64 times as many filters.
        norm: "batch", or "group" (Wu and He 2018, groups of 8 filters), which lets no example see another, as private
            training asks.

    Raises ValueError for another depth or norm.
    """
    if norm not in NORMS:
        raise ValueError(f"norm: {norm}: expected one of {', '.join(NORMS)}")
    if depth < 10 or (depth - 4) % 6:
        raise ValueError(f"depth: expected 6 k + 4 (10, 16, 22, 28, ...), got {depth}")
    blocks: list[nn.Module] = [nn.Conv2d(shape[0], 16, 3, padding=1, bias=False)]
    before = 16
    for group, filters in enumerate((16 * width, 32 * width, 64 * width)):
        for number in range((depth - 4) // 6):
            stride = 2 if group and not number else 1
            blocks.append(_Block(before, filters, stride, norm, share=not group and not number))
            before = filters
    head = [_Activation(before, norm), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, n_classes)]
    return nn.Sequential(*blocks, *head)


class _Activation(nn.Sequential):
    """Batch or group normalisation, then a leaky ReLU.

    The averages of batches move by a tenth per step: FixMatch's, by a thousandth, need more steps than small training
    sets give.
    """

    def __init__(self, filters: int, norm: str):
        super().__init__(NORMS[norm](filters), nn.LeakyReLU(SLOPE))


class _Block(nn.Module):
    """Two activated 3x3 convolutions beside a shortcut, which is a 1x1 convolution where the filters change.

    Args:
        before: filters of the input.
        filters: of the output.
        stride: of the first convolution.
        norm: as for `build`.
        share: whether the shortcut starts from the activated input too.
    """

    def __init__(self, before: int, filters: int, stride: int, norm: str, share: bool):
        super().__init__()
        self.activation, self.share = _Activation(before, norm), share
        self.residual = nn.Sequential(
            nn.Conv2d(before, filters, 3, stride, padding=1, bias=False),
            _Activation(filters, norm),
            nn.Conv2d(filters, filters, 3, padding=1, bias=False),
        )
        same = before == filters and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(before, filters, 1, stride, bias=False)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        activated = self.activation(inputs)
        return self.residual(activated) + self.shortcut(activated if self.share else inputs)
