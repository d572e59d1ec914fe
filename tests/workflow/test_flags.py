"""A model that diverges costs no other cell anything, and is flagged wherever its numbers are shown."""

import re
import zlib

import numpy as np
import pandas as pd
import pytest

from lmia.artifacts import load
from lmia.evaluation.metrics_table import read_metrics

RUN = "small/n60-{}/0-1"


def diverge(config):
    """A second defense, whose weights grow beyond float32 in three steps, and figures of it."""
    config["defenses"] = {"none": {"kind": "none"}, "wild": {"kind": "weight_decay", "strength": 1e18}}
    config["studies"]["small"]["defenses"] = ["none", "wild"]
    config["figures"]["roc"]["defense"] = "none"
    shown = {"study": "small", "defense": "wild", "attacks": ["boundary"]}
    config["figures"] |= {
        "wild": {"kind": "bars", "study": "small", "defense": "wild"},
        "wild-roc": {"kind": "roc", **shown},
        "wild-histogram": {"kind": "histogram", **shown},
        "wild-queries": {"kind": "queries", **shown},
    }
    claim = {"study": "small", "attacks": ["boundary"], "settings": ["", "budget=60"], "against": ["chance"]}
    claims = [claim | {"says": "wild", "defense": "wild"}, claim | {"says": "sound", "defense": "none"}]
    claims += [{"says": "right", "study": "small", "attacks": ["test_accuracy"], "against": ["gap"], "defense": "wild"}]
    config["exhibits"] = {"figure_0": {"title": "Figure 0", "claims": claims}}


def texts(path):
    """All texts of a figure: a .pdf of matplotlib's with TrueType fonts has them as UTF-16, cut for kerning."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", path.read_bytes(), re.S)
    blocks = [block for stream in streams for block in re.findall(rb"\bBT\b(.*?)\bET\b", inflated(stream), re.S)]
    parts = [re.findall(rb"\(((?:[^()\\]|\\.)*)\)", block, re.S) for block in blocks]
    return [re.sub(rb"\\(.)", rb"\1", b"".join(part), flags=re.S).decode("utf-16-be") for part in parts]


def inflated(stream):
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


@pytest.mark.slow
def test_a_diverged_model_is_flagged_and_the_rest_goes_on(copy):
    sound = copy.results(f"*/{RUN.format('none')}/**/*")
    copy.configure(diverge)
    copy.snakemake("all", "figure_0")
    assert copy.results(f"*/{RUN.format('none')}/**/*") == sound

    model, _ = load(copy.path / f"results/models/{RUN.format('wild')}/target.npz")
    assert model["flags"].tolist() == ["diverged"] * 2 and (model["epochs"] <= 2).all()
    log = copy.path / f"results/logs/models/{RUN.format('wild')}/target.log"
    assert "training diverged" in log.read_text()

    table = read_metrics(copy.path / "results/metrics.csv")
    attacked = table[table["attack"].ne("") & table["defense"].eq("wild")]
    assert attacked["flags"].str.contains("target diverged").all()
    assert attacked["flags"].str.contains("shadow diverged").all()
    own = attacked[attacked["metric"].eq("accuracy") & attacked["attack"].eq("boundary") & attacked["seed"].eq("0")]
    assert own["flags"].str.match(r".*\b(\d+) of \1 searches censored").all()
    sizes = attacked[attacked["metric"].eq("accuracy")]["value"]
    assert np.isfinite(sizes).all()
    assert (
        table[table["defense"].eq("none") & table["metric"].ne("accuracy")]["flags"].str.contains("diverged").sum() == 0
    )

    marks = {"wild": "Starred", "wild-roc": "Flagged", "wild-histogram": "Flagged"}
    marks["wild-queries"] = "Hollow, or a star in the legend"
    for name, stars in (("wild", 7), ("wild-roc", 0), ("wild-histogram", 0), ("wild-queries", 0)):
        found = texts(copy.path / f"results/figures/{name}.pdf")
        told = (copy.path / f"results/figures/{name}.txt").read_text()
        for whose in ("target", "shadow"):
            assert f"{marks[name]}: {whose} diverged (2 of 2): " in told, told
        assert sum(bool(re.fullmatch(r"[0-9.]+\*", text)) for text in found) == stars
    assert "diverged" not in (copy.path / "results/figures/roc.txt").read_text()

    checks = pd.read_csv(copy.path / "results/exhibits/figure_0/claims.csv", keep_default_na=False)
    assert [text.split(" (")[0] for text in checks["flags"]] == ["target diverged"] * 2 + [""] * 2 + ["target diverged"]
