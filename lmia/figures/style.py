"""One look for all figures: a colour per attack, safe for colour-blind readers, legible at column width."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend comes first: there may be no display)
import numpy as np  # noqa: E402
from matplotlib.artist import Artist  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.axis import Axis  # noqa: E402
from matplotlib.cbook import is_math_text  # noqa: E402
from matplotlib.collections import PathCollection  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.font_manager import FontProperties  # noqa: E402
from matplotlib.mathtext import MathTextParser  # noqa: E402
from matplotlib.text import Annotation, Text  # noqa: E402
from matplotlib.textpath import text_to_path  # noqa: E402
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, NullLocator  # noqa: E402
from matplotlib.transforms import Bbox  # noqa: E402

WIDTH = 3.6  # inches, a column of a two-column paper
AXIS = 2.6  # inches of it that an axis has
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
PLACES = [(x, y) for r in range(1, 7) for x in (7, -7) for y in (6 * r, -6 * r)]  # in points off a point, of its text
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


def tex_fault(text: str) -> str | None:
    """Why matplotlib cannot draw a text, None where it can: a line with an even number of $ is TeX to it."""
    for line in filter(is_math_text, text.split("\n")):
        try:
            MathTextParser("path").parse(line)
        except (ValueError, RecursionError) as error:
            return str(error).splitlines()[-1]
    return None


class Drawn(NamedTuple):
    """A figure, and the lines of its caption: what a reader must know that is no part of the data."""

    figure: Figure
    remarks: list[str]


@look()
def fitted(text: str, inches: float, size: float = 8) -> str:
    """The text with line breaks, so that it is no wider than so many inches at a font's size in points.

    TeX between two $ is never broken, nor are words around a no-break space; those that are too wide alone are.
    """
    lines = []
    for whole in text.split("\n"):
        now = ""
        words = r"(?:\$[^$]*\$|[^ \t])+" if is_math_text(whole) else r"[^ \t]+"
        for word in re.findall(words, whole):
            for part in _broken(word, inches, size):
                longer = f"{now} {part}".strip()
                if now and _width(longer, size) > inches:
                    lines.append(now)
                    longer = part
                now = longer
        lines.append(now)
    return "\n".join(lines)


def _broken(word: str, inches: float, size: float) -> list[str]:
    """A word in as many parts as it takes to be no wider than that."""
    parts, now = [], ""
    if "$" in word or _width(word, size) <= inches:
        return [word]
    for letter in word:
        if now and _width(now + letter, size) > inches:
            parts.append(now)
            now = ""
        now += letter
    return [*parts, now]


def _width(text: str, size: float) -> float:
    """Of one line, in inches."""
    is_tex = bool(is_math_text(text)) and tex_fault(text) is None
    return text_to_path.get_text_width_height_descent(text, FontProperties(size=size), is_tex)[0] / 72


def wrapped(text: str) -> str:
    """A title, or what an axis says, in lines that fit the narrowest figure."""
    return fitted(text, WIDTH - 0.7, 9)


def axes(
    options: Mapping[str, Any], height: float = 2.4, width: float = WIDTH, panels: Sequence[float] = ()
) -> tuple[Figure, Any]:
    """A new (figure, axes), with the title of the options above; `finish` adds the room for a legend.

    panels: relative heights of several axes that share x, one above the other; then `axes` is an array of them.
    """
    figure, ax = plt.subplots(len(panels) or 1, figsize=(width, height), sharex=True, height_ratios=panels or None)
    entitle(figure, options["title"])
    return figure, ax


def entitle(figure: Figure, title: str) -> None:
    """The title above all axes, and the room for its lines."""
    text = wrapped(title)
    figure.suptitle(text, x=0.02, ha="left", fontsize=9)
    figure.set_figheight(figure.get_figheight() + 0.15 * text.count("\n"))


def percent(axis: Axis) -> None:
    """Show the fractions of an axis in percent."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g}"))


def ticks(axis: Axis, values: Sequence[float], form: str) -> None:
    """Ticks at numbers on a logarithmic axis, with as many labels as have room."""
    axis.set_major_locator(FixedLocator(list(values)))
    axis.set_minor_locator(NullLocator())
    texts = [format(value, form) for value in values]
    places = np.log(np.asarray(values, float))
    span = (places[-1] - places[0]) or 1.0
    end = -np.inf
    for number, text in enumerate(texts):
        middle, half = AXIS * (places[number] - places[0]) / span, (_width(text, 7.5) + 0.06) / 2
        if middle - half < end:
            texts[number] = ""
        else:
            end = middle + half
    axis.set_major_formatter(FixedFormatter(texts))


def whiskers(ax: Axes, rows: Any, y: np.ndarray) -> None:
    """Intervals at the ends of horizontal bars at y (n,), rows (a DataFrame) of a table (n,)."""
    reach = np.abs(np.vstack([rows["value"] - rows["ci_low"], rows["ci_high"] - rows["value"]]))
    ax.errorbar(rows["value"], y, xerr=reach, fmt="none", ecolor="#222222", elinewidth=0.9, capsize=2)


def curve(ax: Axes, x: Any, rows: Any, form: str, shade: str, name: str | None, alpha: float = 1) -> None:
    """A curve at x (n,) of rows (a DataFrame) of a table (n,), with its band; markers of flagged rows are hollow.

    form: of the curve, as `line` gives it; shade: its colour; name: in the legend, None for nowhere.
    """
    x = np.asarray(x, float)
    (drawn,) = ax.plot(x, rows["value"], form, color=shade, label=name, alpha=alpha)
    ax.fill_between(x, rows["ci_low"], rows["ci_high"], color=shade, alpha=0.15, linewidth=0)
    if len(rows) == 1:  # a band of no width
        ax.vlines(x, rows["ci_low"], rows["ci_high"], color=shade, linewidth=1)
    is_flagged = rows["flags"].ne("").to_numpy()
    if is_flagged.any():
        look: dict[str, Any] = {"color": shade, "markerfacecolor": "white", "linestyle": "none"}
        look |= {"marker": drawn.get_marker(), "zorder": drawn.get_zorder() + 0.5}
        ax.plot(x[is_flagged], rows["value"][is_flagged], **look)


def level_line(ax: Axes, row: Mapping[Any, Any]) -> None:
    """One attack's accuracy as a horizontal line with its interval as a band; a star in the legend where flagged."""
    name = row["attack"]
    text = label(name) + "*" * bool(row["flags"])
    ax.axhline(row["value"], color=colour(name), linestyle="--", linewidth=1.1, zorder=1, label=text)
    ax.axhspan(row["ci_low"], row["ci_high"], color=colour(name), alpha=0.12, linewidth=0, zorder=0)


def finish(figure: Figure, columns: int = 3, handles: Sequence[Artist] = (), **options: Any) -> None:
    """The legend below all axes, each label once, in as many columns as there is room for, and the height for it.

    handles: with labels, that stand for what has none in the axes; options: of matplotlib's legend.
    """
    found: dict[str, Any] = {}
    for handle in [*(part for ax in figure.axes for part in ax.get_legend_handles_labels()[0]), *handles]:
        found.setdefault(fitted(str(handle.get_label()), figure.get_figwidth() - 0.8, 7), handle)
    if not found:
        return
    for number in range(min(columns, len(found)), 0, -1):
        look = {"loc": "outside lower center", "ncols": number, "columnspacing": 1} | options
        legend = figure.legend(list(found.values()), list(found), **look)
        box = legend.get_window_extent(figure.canvas.get_renderer())  # type: ignore[attr-defined]  # Agg has one
        if box.width <= figure.bbox.width or number == 1:
            break
        legend.remove()
    figure.set_figheight(figure.get_figheight() + box.height / figure.dpi)


def beside_points(
    figure: Figure, notes: Sequence[tuple[Axes, Sequence[str], Sequence[tuple[float, float]], str]]
) -> None:
    """Each text beside its point, at the first of PLACES where it lies on the fewest texts, points and edges.

    Lays out the figure first: what changes its limits or its frame comes before.

    Args:
        figure: Of these axes.
        notes: (axes, texts (n,), points (n,) in data coordinates, colour of the texts and of the lines to points).
    """
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]  # Agg has one
    for ax, texts, points, shade in notes:
        scatters = [part for part in ax.collections if isinstance(part, PathCollection)]
        others = [place for scatter in scatters for place in np.asarray(scatter.get_offsets())]
        taken = [Bbox.from_bounds(x - 2, y - 2, 4, 4) for x, y in map(ax.transData.transform, others)]
        taken += [Bbox.from_bounds(x - 7, y - 7, 14, 14) for x, y in map(ax.transData.transform, points)]
        for text, point in zip(texts, points, strict=True):
            offered = [_note(ax, text, point, place, shade) for place in PLACES]
            for note in offered:
                note.update_positions(renderer)
            boxes = [Text.get_window_extent(note) for note in offered]  # without the lines to its point
            covered = [sum(map(box.overlaps, taken)) + 2 * (not _is_within(box, ax.bbox)) for box in boxes]
            best = covered.index(min(covered))
            taken.append(boxes[best])
            for note in offered[:best] + offered[best + 1 :]:
                note.remove()


def _is_within(box: Any, outer: Any) -> bool:
    return outer.x0 <= box.x0 and box.x1 <= outer.x1 and outer.y0 <= box.y0 and box.y1 <= outer.y1


def _note(ax: Axes, text: str, point: tuple[float, float], place: tuple[int, int], shade: str) -> Annotation:
    """A text off a point, with a thin line to it, which moves no axes."""
    is_right = place[0] > 0
    line = {"arrowstyle": "-", "linewidth": 0.4, "color": shade, "shrinkA": 0, "shrinkB": 0}
    line["relpos"] = (0 if is_right else 1, 0.5)
    return ax.annotate(
        text,
        point,
        place,
        textcoords="offset points",
        fontsize=6,
        color=shade,
        arrowprops=line if text else None,
        horizontalalignment="left" if is_right else "right",
        verticalalignment="center",
        in_layout=False,
    )


@look()
def save(drawn: Drawn, output: Any) -> None:
    """Write a figure as `output.png` and, unless that is None, `output.pdf`, and its caption as `output.caption`.

    Without the time, so that equal figures are equal bytes. The caption has one sentence a line.
    """
    drawn.figure.savefig(output.png, dpi=250, metadata={"Software": None})
    if output.pdf is not None:
        drawn.figure.savefig(output.pdf, metadata={"CreationDate": None, "Creator": None, "Producer": None})
    Path(output.caption).write_text("".join(f"{line}\n" for line in drawn.remarks), encoding="utf-8")
    plt.close(drawn.figure)
