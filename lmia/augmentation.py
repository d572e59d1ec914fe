"""Images moved at random while a model trains on them, each by a shift of its own."""

import torch


def check_shifts(shape, shifts):
    """Raise ValueError where inputs of `shape` (without the batch) cannot be moved by `shifts` (int, pixels)."""
    if shifts and len(shape) != 3:
        raise ValueError(
            f"shifts: {shifts}: only images (channels, height, width) can be moved, these inputs have shape "
            f"{tuple(shape)}; set training.shifts to 0"
        )


def draw_moves(n, shifts):
    """Shifts (n, 2) by (down, right), int64, uniform over |down|, |right| <= `shifts`, from torch's global stream."""
    return torch.randint(-shifts, shifts + 1, (n, 2))


def shifted(images, rows, moves):
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
