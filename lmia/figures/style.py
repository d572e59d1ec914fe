"""One look for all figures: a colour per attack, safe for colour-blind readers, legible at column width."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from textwrap import wrap
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend comes first: there may be no display)
import numpy as np  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.axis import Axis  # noqa: E402
from matplotlib.cbook import is_math_text  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.mathtext import MathTextParser  # noqa: E402
from matplotlib.text import Annotation, Text  # noqa: E402
from matplotlib.ticker import FuncFormatter  # noqa: E402
from matplotlib.transforms import Bbox  # noqa: E402

WIDTH = 3.6  # inches, a column of a two-column paper
LINE = 60  # characters that fit below its axes
# Okabe and Ito's palette, with grey for the reference, Tol's indigo for one hue more, and shades of the purple for what
# needs confidences and of the blue for other boundary searches. Neighbours in one figure differ in lightness too.
COLOURS = {
    "gap": "#6b6b6b",
    "rotation": "#56b4e9",
    "translation": "#009e73",
    "gaussian": "#e69f00",
    "bernoulli": "#332288",
    "boundary": "#0072b2",
    "boundary-stopped": "#003652",
    "boundary-published": "#7a9cc0",
    "boundary-economical": "#4f6f8f",
    "combined": "#d55e00",
    "max-confidence": "#f2b6d4",
    "true-confidence": "#cc79a7",
    "shokri": "#94527a",
    "adaptive-confidence": "#5c2a4a",
    "white-box": "#000000",
    # Calibrated attacks: the hue is that of the plain attack on the same answers.
    "noise": "#ee9b12",
    "noise-lira": "#b06a00",
    "noise-difference": "#f2b84b",
    "boundary-lira": "#00406b",
    "boundary-50-lira": "#2f8fd0",
    "boundary-difference": "#62a8d8",
    "grid-logistic": "#00795a",
    "white": "#cf5c43",
    "white-lira": "#8f3a2a",
    "directions-lira": "#6b1a12",
    "confidence-lira": "#a8408f",
    "confidence-lira-offline": "#c583b8",
    "rmia": "#d0408f",
    "attack-p": "#e0b3da",
    "attack-r": "#3f2a5c",
}
SPARE = ("#4d4d9f", "#7fbf3f", "#a0522d", "#20b2aa")
FAMILIES = (
    "#6b6b6b",
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#332288",
    "#e69f00",
    "#56b4e9",
    "#000000",
)  # of defenses
MEMBER, NONMEMBER = "#0072b2", "#e69f00"
LINES = {  # where hues repeat in one figure, or are alike to the colour-blind
    "bernoulli": "-.",
    "noise-lira": "-.",
    "noise-difference": ":",
    "boundary-lira": "-.",
    "boundary-50-lira": "--",
    "boundary-difference": ":",
    "grid-logistic": "-.",
    "white-lira": "--",
    "directions-lira": "-.",
    "confidence-lira": "--",
    "confidence-lira-offline": "-.",
    "rmia": ":",
    "attack-p": "--",
    "attack-r": ":",
}
WORDS = {"lira": "LiRA", "rmia": "RMIA", "attack p": "Attack-P", "attack r": "Attack-R"}  # as their authors write them
MARKERS = "osD^vP*X"
PLACES = [(x, y) for y in (5, -5, 12, -12, 19, -19, 26, -26) for x in (4, -4)]  # in points off a point, of its text
RC = {
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.linewidth": 0.7,
    "lines.linewidth": 1.5,
    "lines.markersize": 4,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "figure.constrained_layout.use": True,
    "pdf.fonttype": 42,
}
LOOK: dict[Any, Any] = matplotlib.rcParamsDefault | {"backend": "Agg"} | RC


@contextmanager
def look() -> Iterator[None]:
    """The common look, whatever a user's matplotlibrc says: a context for what draws, or its decorator."""
    with plt.rc_context(LOOK):
        yield


def colour(attack: str) -> str:
    """The attack's own colour; unknown attacks share a few spare ones, by name."""
    return COLOURS.get(attack, SPARE[sum(attack.encode()) % len(SPARE)])


def line(attack: str, number: int | None = None) -> str:
    """Matplotlib's format of an attack's curve: its line style, after the marker of its number where it has one."""
    return ("" if number is None else MARKERS[number % len(MARKERS)]) + LINES.get(attack, "-")


def label(name: str) -> str:
    """A name as a reader wants it."""
    spaced = name.replace("-", " ").replace("_", " ")
    return WORDS.get(spaced) or " ".join(WORDS.get(word, word) for word in spaced.split(" "))


def utility_text(accuracy: float | None) -> str:
    """A model's test accuracy, a fraction, as it stands beside the model's name; "" where there is none."""
    return "" if accuracy is None else f"test {100 * accuracy:.1f} %"


def tex_fault(text: str) -> str | None:
    """Why matplotlib cannot draw a text, None where it can: a line with an even number of $ is TeX to it."""
    for line in filter(is_math_text, text.split("\n")):
        try:
            MathTextParser("path").parse(line)
        except (ValueError, RecursionError) as error:
            return str(error).splitlines()[-1]
    return None


def axes(
    options: Mapping[str, Any], height: float = 2.6, width: float = WIDTH, panels: Sequence[float] = ()
) -> tuple[Figure, Any]:
    """A new (figure, axes), with the title of the options.

    panels: relative heights of several axes that share x, one above the other; then `axes` is an array of them.
    """
    figure, ax = plt.subplots(len(panels) or 1, figsize=(width, height), sharex=True, height_ratios=panels or None)
    (ax[0] if panels else ax).set_title(options["title"], loc="left")
    return figure, ax


def percent(axis: Axis) -> None:
    """Show the fractions of an axis in percent."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g}"))


def whiskers(ax: Axes, rows: Any, y: np.ndarray) -> None:
    """Intervals at the ends of horizontal bars at y (n,), rows (a DataFrame) of a table (n,)."""
    reach = np.abs(np.vstack([rows["value"] - rows["ci_low"], rows["ci_high"] - rows["value"]]))
    ax.errorbar(rows["value"], y, xerr=reach, fmt="none", ecolor="#222222", elinewidth=0.9, capsize=2)


def stars(ax: Axes, x: Iterable[float], y: Iterable[float], flags: Iterable[str]) -> None:
    """A star on every point (x, y) of a curve, (n,) each, whose flags, texts (n,), are not empty."""
    points = [(x, y) for x, y, text in zip(x, y, flags, strict=True) if text]
    if points:
        ax.plot(*zip(*points, strict=True), "*", color="#222222", markersize=7, zorder=5)


@look()
def explain(ax: Axes, rows: Any, by: str = "attack", line: int = LINE) -> None:
    """Below the axes, why rows (a DataFrame) of a table are flagged (`lmia.evaluation.flags`); nothing where none is.

    by: column that tells which they are; line: characters that fit there.
    """
    flagged = rows.loc[rows["flags"].ne("")]
    for text, group in flagged.groupby("flags", sort=False):
        names = ", ".join(map(label, dict.fromkeys(group[by])))
        ax.set_xlabel("\n".join([ax.get_xlabel(), *wrap(f"* {text}: {names}", line)]))


def beside_points(
    figure: Figure,
    ax: Axes,
    texts: Sequence[str],
    points: Sequence[tuple[float, float]],
    colours: Sequence[str],
) -> None:
    """Each text beside its point (x, y), at the first of PLACES where it lies on the fewest texts, points and axes.

    Lays out the figure first: what changes its limits or its frame comes before.

    Args:
        figure: Of these axes.
        ax: Where the points are.
        texts: (n,).
        points: (n,), in data coordinates.
        colours: (n,), of texts and of the lines to their points.
    """
    figure.draw_without_rendering()
    taken = [Bbox.from_bounds(x - 3, y - 3, 6, 6) for x, y in map(ax.transData.transform, points)]
    taken += [Bbox([[0, 0], [ax.bbox.x0, ax.bbox.y1]]), Bbox([[0, 0], [ax.bbox.x1, ax.bbox.y0]])]
    for text, point, colour in zip(texts, points, colours, strict=True):
        notes = [_note(ax, text, point, place, colour) for place in PLACES]
        for note in notes:
            note.update_positions(figure.canvas.get_renderer())  # type: ignore[attr-defined]  # Agg has one
        boxes = [Text.get_window_extent(note) for note in notes]  # without the lines to its point
        covered = [sum(box.overlaps(other) for other in taken) for box in boxes]
        best = covered.index(min(covered))
        taken.append(boxes[best])
        for note in notes[:best] + notes[best + 1 :]:
            note.remove()


def _note(ax: Axes, text: str, point: tuple[float, float], place: tuple[int, int], colour: str) -> Annotation:
    """A text off a point, with a thin line to it."""
    is_right = place[0] > 0
    line = {"arrowstyle": "-", "linewidth": 0.4, "color": colour, "shrinkA": 0, "shrinkB": 0}
    line["relpos"] = (0 if is_right else 1, 0.5)
    return ax.annotate(
        text,
        point,
        place,
        textcoords="offset points",
        fontsize=6,
        color=colour,
        arrowprops=line if text else None,
        horizontalalignment="left" if is_right else "right",
        verticalalignment="center",
    )


def level_line(ax: Axes, row: Mapping[Any, Any], x: float = 0.995) -> None:
    """One attack's accuracy as a labelled horizontal line with its interval as a band; a star where it is flagged."""
    name = row["attack"]
    ax.axhline(row["value"], color=colour(name), linestyle="--", linewidth=1.1, zorder=1)
    ax.axhspan(row["ci_low"], row["ci_high"], color=colour(name), alpha=0.12, linewidth=0, zorder=0)
    position = {"x": x, "y": row["value"], "ha": "right", "va": "bottom", "fontsize": 7}
    ax.text(
        s=label(name) + "*" * bool(row["flags"]), color=colour(name), transform=ax.get_yaxis_transform(), **position
    )


@look()
def save(figure: Figure, output: Any) -> None:
    """Write a figure as `output.png` and `output.pdf`, without the time, so that equal figures are equal bytes."""
    figure.savefig(output.png, dpi=250, metadata={"Software": None})
    figure.savefig(output.pdf, metadata={"CreationDate": None, "Creator": None, "Producer": None})
    plt.close(figure)
