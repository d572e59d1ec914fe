"""Audits of models that other programs trained and saved: those that leak are found, and the others hardly ever.

Of 20 audits of each model, the data are drawn anew for each. A null model was trained on none of the records.
"""

import inspect
import io
import pkgutil
import warnings
from types import FunctionType

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.stats
import sklearn
import torch
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from torch import nn

from lmia.attacks import classifier, difficulty, gap, vote
from lmia.attacks.known_records import halves, run_on_halves
from lmia.attacks.observations import Answers, Compared
from lmia.audit.verdict import LEAKS, Finding, accuracy_of, errors_of, judge
from lmia.data.equal_inputs import number_inputs
from lmia.label_function import as_network
from lmia.perturbations import gaussian, table, words
from lmia.queries.fixed_queries import ask_fixed
from lmia.queries.references import ask_references
from lmia.streams import streams
from lmia.table import Table
from lmia.targets import sklearn as sklearn_file
from lmia.targets import torch as torch_file
from lmia.targets.opened import digest

SEEDS, N_KNOWN = 20, 100  # of each kind


def network(n_features, n_classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(n_features, 64), nn.ReLU(), nn.Linear(64, n_classes))


class OfTorch:
    """A network on noisy digits, saved as its state_dict."""

    table = None

    def __init__(self):
        inputs, self.classes = load_digits(return_X_y=True)
        noise = np.random.default_rng(0).standard_normal(inputs.shape)
        self.inputs = (inputs / 16 + 0.3 * noise).clip(0, 1).astype(np.float32)

    def saved(self, rows, seed):
        torch.manual_seed(seed)
        model, points = network(64, 10), torch.from_numpy(self.inputs[rows])
        optimizer, classes = torch.optim.Adam(model.parameters(), 0.01), torch.from_numpy(self.classes[rows])
        for _ in range(60):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(points), classes).backward()
            optimizer.step()
        file = io.BytesIO()
        torch.save(model.state_dict(), file)
        return file.getvalue()

    def opened(self, path):
        empty = network(64, 10)
        torch_file.load(empty, path)
        return empty.eval()

    def asked(self, model, ids, seed):
        return {"gap": (gap, None), "noise": (vote, gaussian.Perturbation([0.1, 0.2], 20))}


class OfSklearn:
    """An estimator on records of a table, saved by joblib."""

    def __init__(self, frame, labels, texts=()):
        self.frame, self.labels = frame, labels
        self.table = Table.of(frame, labels, texts=texts)
        self.inputs, self.classes = self.table.encode(frame), self.table.class_numbers(labels)

    def saved(self, rows, seed):
        file = io.BytesIO()
        joblib.dump(self.fitted(rows, seed), file)
        return file.getvalue()

    def opened(self, path):
        n_classes = len(self.table.classes)
        built = sklearn_file.build(self.inputs.shape[1:], n_classes, trust=digest(path.read_bytes()))
        model = as_network(built, n_classes, self.table)
        sklearn_file.load(model, path)
        return model.eval()


class Forest(OfSklearn):
    """Of tumours, with some labels at random, as where people were asked."""

    def __init__(self):
        frame, labels = load_breast_cancer(return_X_y=True, as_frame=True)
        draw = np.random.default_rng(1)
        kept = draw.random(len(labels)) < 0.8
        super().__init__(frame, pd.Series(np.where(kept, labels, 1 - labels), name="malignant"))

    def fitted(self, rows, seed):
        return RandomForestClassifier(20, random_state=seed).fit(self.frame.iloc[rows], self.labels.iloc[rows])

    def asked(self, model, ids, seed):
        copies = table.Perturbation([2, 5], 10, self.table)
        same = number_inputs(self.inputs)
        references = ask_references(model.retrained, self.inputs, self.classes, same, ids, N_KNOWN, 6, seed)
        return {"gap": (gap, None), "table": (classifier, copies), "difficulty": (difficulty, references)}


def documented(package):
    """First paragraphs of what a package says of its functions, which is text that comes with it."""
    told = set()
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if module.name.rpartition(".")[2].startswith("_") or module.name.endswith(("tests", "conftest")):
            continue
        with warnings.catch_warnings(action="ignore"):  # of what is deprecated
            members = inspect.getmembers(__import__(module.name, fromlist=["_"]))
        for _, found in members:
            if isinstance(found, FunctionType | type) and found.__doc__:
                told.add(" ".join(inspect.cleandoc(found.__doc__).split()[:40]))
    return sorted(told)


class Text(OfSklearn):
    """A bag of words and a steep logistic regression on what two packages say of themselves."""

    def __init__(self):
        parts = [documented(sklearn), documented(scipy.stats) + documented(scipy)]
        texts = [text for part in parts for text in part]
        labels = np.repeat(["learn", "science"], list(map(len, parts)))
        draw = np.random.default_rng(2)
        labels = np.where(draw.random(len(labels)) < 0.8, labels, draw.permutation(labels))
        super().__init__(pd.DataFrame({"text": texts}), pd.Series(labels, name="package"), texts=["text"])

    def fitted(self, rows, seed):
        pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression(C=1e4, max_iter=1000))
        return pipeline.fit(self.frame["text"].iloc[rows], self.labels.iloc[rows])

    def asked(self, model, ids, seed):
        return {"gap": (gap, None), "words": (vote, words.Perturbation([0.2, 0.4], 10, self.table))}


def verdict(kind, path, seed, leaks):
    """Of an audit of a model that is trained on those who are called its members, or on others."""
    order = np.random.default_rng(seed).permutation(len(kind.inputs))
    members, others, trained = order[:N_KNOWN], order[N_KNOWN : 2 * N_KNOWN], order[2 * N_KNOWN : 3 * N_KNOWN]
    path.write_bytes(kind.saved(members if leaks else trained, seed))
    model, ids = kind.opened(path), np.sort(np.concatenate([members, others]))
    is_member, points = np.isin(ids, members), torch.from_numpy(kind.inputs[ids])
    half, findings = halves(is_member, seed), []
    asked = kind.asked(model, ids, seed)
    (with_copies,) = (way for _, way in asked.values() if hasattr(way, "blocks"))
    labels, _ = ask_fixed(model, points, with_copies, lambda: streams(seed, "copies", ids), progress="copies")
    answers = Answers(labels, kind.classes[ids], np.array([0.0, *with_copies.magnitudes]))
    for name, (rule, way) in asked.items():
        observed = answers.cut(1) if way is None else answers
        if isinstance(way, tuple):
            observed = Compared(answers.labels[:, 0], *way, answers.classes)
        result = run_on_halves(rule.Attack, observed, is_member, half)[0]
        called = result.scores >= result.threshold
        findings.append(Finding(name, 1.0, accuracy_of(called, is_member, errors_of(len(asked)))))
    return judge(findings).kind


@pytest.mark.slow
@pytest.mark.parametrize("kind", [OfTorch, Forest, Text])
def test_models_that_leak_are_found_and_others_are_not(kind, tmp_path):
    kind = kind()
    found = {leaks: [verdict(kind, tmp_path / "it", seed, leaks) for seed in range(SEEDS)] for leaks in (True, False)}
    assert found[True].count(LEAKS) == SEEDS
    assert found[False].count(LEAKS) <= 1
