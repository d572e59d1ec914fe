"""Images that are each moved, mirrored or cut in a way of its own: for training, and for queries like it."""

import torch


def shifts(d: int) -> list[tuple[int, int]]:
    """The 4d integer shifts (down, right) at L1 distance d from (0, 0), in a fixed order."""
    return [(i, j) for i in range(-d, d + 1) for j in sorted({abs(i) - d, d - abs(i)})]


def check_moves(shape: tuple[int, ...]) -> None:
    """Raise ValueError where inputs of `shape` (without the batch) cannot be moved."""
    if len(shape) != 3:
        raise ValueError(
            "augmentation: only images (channels, height, width) can be moved, these inputs have shape "
            f"{tuple(shape)}; choose another defense"
        )


def moved(images: torch.Tensor, rows: torch.Tensor, moves: torch.Tensor) -> torch.Tensor:
    """The images of `rows`, each moved by a shift of its own, the nearest edge pixel filling the gap.

    images: (n, channels, height, width), fastest in channels-last memory; rows: int64 (m,); moves: int64 (m, 2),
    pixels (down, right). Returns (m, channels, height, width) in channels-last memory.

    One gather of whole pixels: the same as `perturbations.translation.shift` image by image.
    """
    channels, height, width = images.shape[1:]
    down, right = moves[:, :1], moves[:, 1:]
    lines = (torch.arange(height, device=images.device) - down).clamp(0, height - 1)
    columns = (torch.arange(width, device=images.device) - right).clamp(0, width - 1)
    pixels = (rows[:, None, None] * height + lines[:, :, None]) * width + columns[:, None, :]
    taken = images.permute(0, 2, 3, 1).reshape(-1, channels).index_select(0, pixels.flatten())
    return taken.view(len(rows), height, width, channels).permute(0, 3, 1, 2)


def mirrored(images: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
    """Images (m, channels, height, width), those of `which` (m,), bool, turned left to right."""
    return torch.where(which[:, None, None, None], images.flip(3), images)


def cut(images: torch.Tensor, middles: torch.Tensor, side: int) -> torch.Tensor:
    """Images (m, channels, height, width) with a grey (0.5) square of `side` pixels each (DeVries and Taylor 2017).

    middles: int64 (m, 2), the pixels (row, column) that they lie around, so that edges may cut them.
    """
    within = []
    for axis, length in enumerate(images.shape[2:]):
        place = torch.arange(length, device=images.device) - (middles[:, axis : axis + 1] - side // 2)
        within.append(((place >= 0) & (place < side)).unsqueeze(2 - axis))
    return images.masked_fill((within[0] & within[1])[:, None], 0.5)
