"""Tables and a figure of the finished measurements. Nothing is measured here."""

import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import torch
from rivals import CALIBRATED, OURS, RIVALS, STOPPING
from runs import PUBLISHED, TOLERANCE, Comparison

from lmia.figures.style import RC

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

BUDGETS = (25, 50, 100, 250, 500, 1000, 2500)
# Okabe and Ito's palette, with lighter shades of two for reduced precision.
COLOURS = ("#0072B2", "#D55E00", "#CC79A7", "#009E73", "#7fceb9", "#000000", "#8a8a8a", "#E69F00", "#56B4E9")
COLOURS = dict(zip([*OURS, *CALIBRATED, *RIVALS], COLOURS, strict=True))


def ceilings(study):
    """Queries per second of every engine, and its share of the ceiling measured beside it: medians of repetitions.

    fraction_low, fraction_high: the least and the greatest of the shares.
    """
    kind = "wall" if study.device.type == "cuda" else "cpu"
    for network, method, job in study.engines():
        found = np.load(job.path)
        fractions = found["rate"] / found["ceiling"]
        yield {
            "network": network,
            "method": f"HopSkipJump {method}" if method in ("published", "economical") else method,
            f"queries_per_{kind}_second": np.median(found["rate"]),
            f"ceiling_per_{kind}_second": np.median(found["ceiling"]),
            "fraction": np.median(fractions),
            "fraction_low": fractions.min(),
            "fraction_high": fractions.max(),
        }


def write_engines(study, out):
    """engines.csv, which is what ceilings.csv is in a whole comparison, and the same in engines.md with the machine."""
    table = pd.DataFrame(ceilings(study))
    table.to_csv(out / "engines.csv", index=False)
    text = f"# Engines beside their ceilings\n\n{machine(study.device, study.packages)}\n\n{markdown(table)}\n"
    (out / "engines.md").write_text(text)


def scaling(study):
    """Cost of the economical schedule as one thing varies; processes side by side count together."""
    for varied, value, jobs in study.scaling():
        parts = [np.load(job.path) for job in jobs]
        queries, cpu = sum(int(part["queries"]) for part in parts), sum(float(part["cpu"]) for part in parts)
        wall = max(float(part["wall"]) for part in parts)
        yield {
            "varied": varied,
            "value": value,
            "queries": queries,
            "cpu_seconds": cpu,
            "wall_seconds": wall,
            "queries_per_cpu_second": queries / cpu,
            "queries_per_wall_second": queries / wall,
            "peak_memory_mb": sum(float(part["memory"]) for part in parts),
        }


def machine(device, packages):
    """Where this was measured, and with which packages, in words."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    cpu = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    gpu = f"{torch.cuda.get_device_name(device)}, " if device.type == "cuda" else ""
    return f"{gpu}{cpu}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}; {date.today()}"


def markdown(table):
    """A Markdown table of a data frame."""

    def cell(value):
        if isinstance(value, float):
            return "" if np.isnan(value) else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
        return str(value)

    rows = [list(table.columns), ["---"] * len(table.columns), *([cell(v) for v in row] for row in table.values)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def draw(models, path):
    """AUC against CPU seconds, on a GPU wall seconds, a panel per model and a curve per tool."""
    plt.rcParams.update(RC)
    figure, panels = plt.subplots(1, len(models), figsize=(3.6 * len(models), 3.2), squeeze=False)
    for ax, comparison in zip(panels[0], models, strict=True):
        for tool in [tool for tool in comparison.tools if tool != STOPPING]:
            name = tool.name if tool in RIVALS else f"{tool.name}, {tool.schedule}, {tool.precision}"
            cost = comparison.seconds(comparison.target[tool]).sum(axis=0)
            ax.plot(cost, comparison.curves[tool], color=COLOURS[tool], label=name, drawstyle="steps-post")
            ax.plot(cost[-1], comparison.curves[tool][-1], "o", color=COLOURS[tool])
        goal = comparison.curves[PUBLISHED][-1] - TOLERANCE
        ax.axhline(goal, color="#6b6b6b", linestyle=":", linewidth=1, label="the published answer")
        ax.set(xscale="log", xlabel=f"{'wall' if comparison.on_gpu else 'CPU'} seconds", ylabel="AUC of the attack")
        ax.set_title(comparison.model, loc="left")
        ax.grid(True)
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.savefig(path, dpi=200)
    plt.close(figure)


def write(study, out):
    """All tables as .csv, all of them in one .md, and the figure."""
    models = [Comparison(study, model) for model in study.scale.n_train]
    cells = [
        (comparison, tool, budget)
        for comparison in models
        for tool in study.tools
        for budget in BUDGETS
        if budget <= comparison.budget[tool]
    ]
    tables = {
        "hopskipjump": [comparison.at(tool, budget) for comparison, tool, budget in cells],
        "answer": [comparison.answer(tool) for comparison in models for tool in study.tools],
        "intervals": [comparison.interval(tool, budget) for comparison, tool, budget in cells],
    }
    if study.is_whole:
        tables |= {"ceilings": list(ceilings(study)), "scaling": list(scaling(study))}
    text = [f"# HopSkipJump: what an answer costs\n\n{machine(study.device, study.packages)}", _settings(study, models)]
    for name, rows in tables.items():
        table = pd.DataFrame(rows)
        table.to_csv(out / f"{name}.csv", index=False)
        text.append(f"## {name}.csv\n\n{markdown(table)}")
    (out / "hopskipjump.md").write_text("\n\n".join(text) + "\n")
    draw(models, out / "hopskipjump.png")


def _settings(study, models):
    """What was attacked, one line per model."""
    lines = [f"Data: {'made up' if study.npz is None else study.npz.name}, seed {study.seed}."]
    for comparison in models:
        right, is_member = comparison.target[PUBLISHED].trail[:, 0] > 0, comparison.is_member
        lines.append(
            f"{comparison.model}: {study.scale.n_train[comparison.model]} training examples; {len(right)} points of "
            f"the target, {len(comparison.shadow_is_member)} of the shadow; the target is right on "
            f"{right[is_member].mean():.1%} of the members and on {right[~is_member].mean():.1%} of the others."
        )
    return "\n".join(f"- {line}" for line in lines)
