"""A model that diverges costs no other cell anything, and is flagged wherever its numbers are shown."""

import numpy as np
import pytest

from lmia.artifacts import load
from lmia.tables import read_metrics

RUN = "small/n60-{}/0-1"


def diverge(config):
    """A second defense, whose penalty is infinite in float32, and its gradient too, and figures of it."""
    config["defenses"] = {"none": {"kind": "none"}, "wild": {"kind": "l2", "strength": 1e39}}
    config["studies"]["small"]["defenses"] = ["none", "wild"]
    config["figures"]["roc"]["defense"] = "none"
    shown = {"study": "small", "defense": "wild", "attacks": ["boundary"]}
    config["figures"] |= {
        "wild": {"kind": "bars", "study": "small", "defense": "wild"},
        "wild-roc": {"kind": "roc", **shown},
        "wild-histogram": {"kind": "histogram", **shown},
        "wild-queries": {"kind": "queries", **shown},
    }


@pytest.mark.slow
def test_a_diverged_model_is_flagged_and_the_rest_goes_on(copy):
    sound = copy.results(f"*/{RUN.format('none')}/**/*")
    copy.configure(diverge)
    copy.snakemake()
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
    assert own["flags"].str.contains("all searches censored").all()
    sizes = attacked[attacked["metric"].eq("accuracy")]["value"]
    assert np.isfinite(sizes).all()
    assert (
        table[table["defense"].eq("none") & table["metric"].ne("accuracy")]["flags"].str.contains("diverged").sum() == 0
    )
