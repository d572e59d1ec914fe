"""One look for all figures: a colour per attack, safe for colour-blind readers, legible at column width."""

from textwrap import wrap

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend comes first: there may be no display)
from matplotlib.cbook import is_math_text  # noqa: E402
from matplotlib.mathtext import MathTextParser  # noqa: E402
from matplotlib.text import Text  # noqa: E402
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
LINES = {"bernoulli": "-."}  # beside gaussian and boundary in one figure; dashes are level lines
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


def colour(attack):
    """The attack's own colour; unknown attacks share a few spare ones, by name."""
    return COLOURS.get(attack, SPARE[sum(attack.encode()) % len(SPARE)])


def line(attack, number=None):
    """Matplotlib's format of an attack's curve: its line style, after the marker of its number where it has one."""
    return ("" if number is None else MARKERS[number % len(MARKERS)]) + LINES.get(attack, "-")


def label(name):
    """A name as a reader wants it."""
    return name.replace("-", " ").replace("_", " ")


def tex_fault(text):
    """Why matplotlib cannot draw a text, None where it can: a line with an even number of $ is TeX to it."""
    for line in filter(is_math_text, text.split("\n")):
        try:
            MathTextParser("path").parse(line)
        except (ValueError, RecursionError) as error:
            return str(error).splitlines()[-1]
    return None


def axes(settings, height=2.6, width=WIDTH, panels=()):
    """A new (figure, axes) in the common look, with the title of the settings.

    panels: relative heights of several axes that share x, one above the other; then `axes` is an array of them.
    """
    plt.rcParams.update(matplotlib.rcParamsDefault | {"backend": "Agg"} | RC)
    figure, ax = plt.subplots(len(panels) or 1, figsize=(width, height), sharex=True, height_ratios=panels or None)
    (ax[0] if panels else ax).set_title(settings["title"], loc="left")
    return figure, ax


def percent(axis):
    """Show the fractions of an axis in percent."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g}"))


def stars(ax, x, y, flags):
    """A star on every point (x, y) of a curve, (n,) each, whose flags, texts (n,), are not empty."""
    points = [(x, y) for x, y, text in zip(x, y, flags, strict=True) if text]
    if points:
        ax.plot(*zip(*points, strict=True), "*", color="#222222", markersize=7, zorder=5)


def explain(ax, rows, by="attack", line=LINE):
    """Below the axes, why rows of a table are flagged (`lmia.evaluation.flags`), with a star; nothing where none is.

    by: column that tells which they are; line: characters that fit there.
    """
    flagged = rows[rows["flags"].ne("")]
    for text, group in flagged.groupby("flags", sort=False):
        names = ", ".join(map(label, dict.fromkeys(group[by])))
        ax.set_xlabel("\n".join([ax.get_xlabel(), *wrap(f"* {text}: {names}", line)]))


def beside_points(figure, ax, texts, points, colours):
    """Each text beside its point (x, y), at the first of PLACES where it lies on the fewest texts, points and axes.

    Lays out the figure first: what changes its limits or its frame comes before.
    """
    figure.draw_without_rendering()
    taken = [Bbox.from_bounds(x - 3, y - 3, 6, 6) for x, y in map(ax.transData.transform, points)]
    taken += [Bbox([[0, 0], [ax.bbox.x0, ax.bbox.y1]]), Bbox([[0, 0], [ax.bbox.x1, ax.bbox.y0]])]
    for text, point, colour in zip(texts, points, colours, strict=True):
        notes = [_note(ax, text, point, place, colour) for place in PLACES]
        for note in notes:
            note.update_positions(figure.canvas.get_renderer())
        boxes = [Text.get_window_extent(note) for note in notes]  # without the lines to its point
        covered = [sum(box.overlaps(other) for other in taken) for box in boxes]
        best = covered.index(min(covered))
        taken.append(boxes[best])
        for note in notes[:best] + notes[best + 1 :]:
            note.remove()


def _note(ax, text, point, place, colour):
    """A text off a point, with a thin line to it."""
    side = {"horizontalalignment": "left" if place[0] > 0 else "right", "verticalalignment": "center"}
    line = {"arrowstyle": "-", "linewidth": 0.4, "color": colour, "shrinkA": 0, "shrinkB": 0}
    line["relpos"] = (0 if place[0] > 0 else 1, 0.5)
    return ax.annotate(
        text,
        point,
        place,
        textcoords="offset points",
        fontsize=6,
        color=colour,
        arrowprops=line if text else None,
        **side,
    )


def level_line(ax, row, x=0.995):
    """One attack's accuracy as a labelled horizontal line with its interval as a band; a star where it is flagged."""
    name = row["attack"]
    ax.axhline(row["value"], color=colour(name), linestyle="--", linewidth=1.1, zorder=1)
    ax.axhspan(row["ci_low"], row["ci_high"], color=colour(name), alpha=0.12, linewidth=0, zorder=0)
    position = {"x": x, "y": row["value"], "ha": "right", "va": "bottom", "fontsize": 7}
    ax.text(
        s=label(name) + "*" * bool(row["flags"]), color=colour(name), transform=ax.get_yaxis_transform(), **position
    )


def save(figure, output):
    """Write a figure as `output.png` and `output.pdf`, without the time, so that equal figures are equal bytes."""
    figure.savefig(output.png, dpi=250, metadata={"Software": None})
    figure.savefig(output.pdf, metadata={"CreationDate": None, "Creator": None, "Producer": None})
    plt.close(figure)
