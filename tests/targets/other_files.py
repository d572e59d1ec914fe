"""What the tests of other programs' files share: records, digits, and ways to open a file."""

import hashlib

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from lmia import plugins
from lmia.label_function import as_network
from lmia.models.checkpoints import restore, to_arrays
from lmia.table import Table

DRAW = np.random.default_rng(0)
N = 300
RECORDS = pd.DataFrame(
    {
        "age": DRAW.integers(18, 90, N),
        "home-town": DRAW.choice(["Ayr", "Bath", "Ely"], N),
        "income": np.where(DRAW.random(N) < 0.1, np.nan, DRAW.normal(0, 1, N).round(3)),
    }
)
LABELS = pd.Series(np.where(RECORDS["age"] + 20 * (RECORDS["home-town"] == "Ayr") > 60, "yes", "no"), name="answer")
TABLE = Table.of(RECORDS, LABELS)
CODED = RECORDS.assign(
    ward=DRAW.choice([10, 20, 30], N),
    town=DRAW.choice(["möglich", "nein", "ja"], N),
    known=DRAW.choice(np.array([True, False, None], dtype=object), N),
).drop(columns="home-town")
CODED.loc[CODED.index[::9], "town"] = None
CODED_LABELS = ((CODED["ward"] == 20) ^ (CODED["town"] == "nein") ^ (CODED["known"] == True)).astype(int)  # noqa: E712
CODED_TABLE = Table.of(CODED, CODED_LABELS)
NUMBERS = CODED[["age", "income"]]

PIXELS, DIGITS = load_digits(return_X_y=True)
PIXELS = (PIXELS / 16).astype(np.float32)
KINDS = {"sklearn": "skops", "onnx": "onnxruntime", "xgboost": "xgboost", "lightgbm": "lightgbm"}


def need(*names):
    for name in names:
        pytest.importorskip(name, reason=f"needs {name}: pip install -r requirements-audit.lock")


def opened(kind, path, n_classes, table=None, **options):
    """What the workflow asks, from the file, and again from the arrays that it is kept as."""
    spec = {"kind": kind, **options}

    def built():
        return as_network(plugins.bind("targets", "build", spec)((3,), n_classes), n_classes, table)

    network = built()
    plugins.load("targets", kind).load(network, path)
    arrays = to_arrays(network, 4)
    assert {name: array.tobytes() for name, array in arrays.items()} == {"4/file": path.read_bytes()}
    return network.eval(), restore(built(), arrays, 4)


def check(networks, inputs, expected):
    for network in networks:
        assert network(torch.from_numpy(inputs)).argmax(1).tolist() == np.asarray(expected).tolist()


def pipeline(classifier):
    encode = make_column_transformer((OneHotEncoder(), ["home-town"]), ("passthrough", ["age", "income"]))
    return make_pipeline(encode, classifier).fit(RECORDS, LABELS)


def numbered(labels):
    return (np.asarray(labels) == "yes").astype(int)


def trusted(path):
    return {"trust": hashlib.sha256(path.read_bytes()).hexdigest()}


def as_categories(frame, **kinds):
    """As its model was given it: codes and texts of dtype category, and truths as floats."""
    return frame.astype({"ward": "category", "town": "category", "known": float} | kinds)
