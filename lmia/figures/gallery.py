"""A few inputs beside what is sent to the model instead of them."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lmia.figures import style


@style.look()
def plot(
    originals: np.ndarray,
    perturbed: Mapping[str, tuple[np.ndarray, list[float], str]],
    options: Mapping[str, Any],
) -> style.Drawn:
    """originals: (n, channels, height, width); perturbed: name -> (images (n, m, channels, height, width), magnitudes
    (m,), unit); options: title. One row of panels per query set and example, one column per magnitude."""
    columns = 1 + max(images.shape[1] for images, _, _ in perturbed.values())
    examples = len(originals)
    rows = examples * len(perturbed)
    figure, panels = _grid(rows, columns)
    for q, (name, (images, magnitudes, unit)) in enumerate(perturbed.items()):
        for e in range(examples):
            row = panels[q * examples + e]
            _show(row[0], originals[e])
            for column, magnitude in enumerate(magnitudes, start=1):
                _show(row[column], images[e, column - 1])
                if e == 0:
                    row[column].set_title(f"{magnitude:.3g}", fontsize=7, pad=2)
        first = panels[q * examples]
        first[0].set_title("original", fontsize=7, pad=2)
        middle = panels[q * examples + examples // 2][0]
        place = {"transform": middle.transAxes, "ha": "right", "va": "center"}
        text = style.fitted(f"{style.label(name)}\n({unit})", 1.1)
        middle.text(-0.25, 0.5, text, parse_math=False, **place)
    style.entitle(figure, options["title"])
    return style.Drawn(figure, ["Above each image stands the magnitude of what was done to it."])


def _grid(rows: int, columns: int) -> tuple[Figure, np.ndarray]:
    figure, panels = plt.subplots(rows, columns, figsize=(0.5 * columns + 1.1, 0.5 * rows + 0.2), squeeze=False)
    for panel in panels.flat:
        panel.set_axis_off()
    return figure, panels


def _show(panel: Axes, image: np.ndarray) -> None:
    picture = image[0] if len(image) == 1 else np.moveaxis(image, 0, -1)
    panel.imshow(picture, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
