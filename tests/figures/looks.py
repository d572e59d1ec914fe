"""What a reader could not read of a figure, by the boxes of what matplotlib draws."""

from itertools import combinations

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.text import Text
from matplotlib.transforms import Bbox

EDGE = 1.0  # pixels that may lie beyond an edge, or on one another: of rounding


def drawn_texts(figure):
    """All texts that are drawn, and none of ticks out of view."""
    found, original = [], Text.draw

    def draw(text, renderer):
        if text.get_visible() and text.get_text().strip():
            found.append(text)
        return original(text, renderer)

    Text.draw = draw
    try:
        figure.draw_without_rendering()
    finally:
        Text.draw = original
    return list(dict.fromkeys(found))


def box_of(text):
    return Text.get_window_extent(text, text.figure.canvas.get_renderer())  # of an annotation, without its line


def inside(box, outer):
    return (
        outer.x0 - EDGE <= box.x0
        and box.x1 <= outer.x1 + EDGE
        and outer.y0 - EDGE <= box.y0 <= box.y1 <= outer.y1 + EDGE
    )


def faults(figure):
    """A line for each fault: texts off the canvas or on one another, what a legend lacks, what axes cut off."""
    texts = drawn_texts(figure)
    canvas, boxes = figure.bbox, [box_of(text) for text in texts]
    for text, box in zip(texts, boxes, strict=True):
        if not inside(box, canvas):
            yield f"off the canvas: {text.get_text()!r}"
    for (one, box), (other, second) in combinations(list(zip(texts, boxes, strict=True)), 2):
        common = Bbox.intersection(box, second)
        if common is not None and min(common.width, common.height) > EDGE:
            yield f"on one another: {one.get_text()!r} and {other.get_text()!r}"
    yield from _of_legends(figure, canvas)
    for ax in figure.axes:
        yield from _cut_off(ax)


def _of_legends(figure, canvas):
    legends = [*figure.legends, *filter(None, (ax.get_legend() for ax in figure.axes))]
    entries = [text.get_text() for legend in legends for text in legend.get_texts()]
    named = {label for ax in figure.axes for label in ax.get_legend_handles_labels()[1]}
    said = {text.replace("\n", "") for text in entries}
    for label in named:
        if "".join(label.split()) not in {"".join(text.split()) for text in said}:
            yield f"not in the legend: {label!r}"
    for label in {text for text in entries if entries.count(text) > 1}:
        yield f"twice in the legend: {label!r}"
    for legend in legends:
        if not inside(legend.get_window_extent(figure.canvas.get_renderer()), canvas):  # with all its handles
            yield f"a legend off the canvas: {legend.get_texts()[0].get_text()!r}"


def _cut_off(ax):
    """Markers, curves and bars whose data lie outside the axes."""
    points = [(line, line.get_transform().transform(line.get_xydata())) for line in ax.lines if line.get_visible()]
    points += [
        (part, part.get_offset_transform().transform(np.ma.filled(part.get_offsets(), np.nan)))
        for part in ax.collections
        if isinstance(part, PathCollection)
    ]
    points += [(bar, bar.get_window_extent().get_points()) for bar in ax.patches]
    for artist, places in points:
        places = places[np.isfinite(places).all(axis=1)]
        low, high = ax.bbox.get_points()
        if len(places) and (np.any(places < low - EDGE) or np.any(places > high + EDGE)):
            yield f"cut off by the axes: {artist}"
