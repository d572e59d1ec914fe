"""Controls on real models: nothing is found where nothing is, and everything where everything is."""

from functools import partial

import numpy as np
import pytest
import torch

from lmia.attacks import adaptive_confidence, classifier, distance, gap, max_confidence, true_confidence, vote
from lmia.attacks.observations import Answers, Confidences, Distances
from lmia.attacks.scoring import run_attack
from lmia.boundary.search import search_boundary
from lmia.data.digits import load
from lmia.defenses import base
from lmia.evaluation.intervals import evaluate
from lmia.evaluation.metrics import at_threshold
from lmia.models import mlp
from lmia.perturbations import bernoulli, gaussian, original, rotation, translation
from lmia.queries.confidences import query_confidences
from lmia.queries.fixed_queries import ask_fixed
from lmia.splits import draw_split
from lmia.streams import streams
from lmia.training.loop import accuracy, train
from lmia.training.options import TrainingOptions

TRAINING = {"learning_rate": 1e-3, "batch_size": 100, "min_delta": 0.005, "patience": 20, "max_epochs": 400}


@pytest.fixture(scope="module")
def digits():
    inputs, classes = load(pixel_noise=0.3)
    return torch.from_numpy(inputs), torch.from_numpy(classes)


def observe(digits, role, split, budget=200):
    """Everything that the attacks read about one model, and that model's accuracies."""
    inputs, classes = digits
    members, others = split.members(role), split.nonmembers(role)
    build = partial(mlp.build, hidden=(64,))
    model, _ = train(
        build, inputs[members], classes[members], 10, len(role), base.Defense(), TrainingOptions(**TRAINING)
    )
    ids = split.evaluated(role)
    x, y = inputs[ids], classes[ids].numpy()
    fixed = {}
    for name, perturbation in (
        ("noise", gaussian.Perturbation(sigmas=[0.1, 0.2], samples=20)),
        ("flips", bernoulli.Perturbation(flips=[2, 5], samples=20)),
        ("rotations", rotation.Perturbation(degrees=[4, 8])),
        ("translations", translation.Perturbation(pixels=[1, 2])),
    ):
        labels, _ = ask_fixed(model, x, perturbation, partial(streams, 0, name, ids))
        fixed[name] = Answers(labels, y, np.array([0, *perturbation.magnitudes]))
    draws = partial(_copy_streams, ids)
    for name, copies in (("boundary", 0), ("copies", 1)):
        spent = budget * (1 + 4 * copies)
        found = search_boundary(model, x, y, draws, budget=spent, shift_pixels=copies)
        fixed[name] = Distances(*found[:2], y)
    fixed["confidences"] = Confidences(query_confidences(model, x, y, lambda c: c)[0], y)
    rates = [accuracy(model, inputs[part], classes[part]) for part in (members, others)]
    return fixed, split.is_member(role, ids), rates


def _copy_streams(ids, copy):
    return streams(0, f"copy {copy}", ids)


@pytest.fixture(scope="module")
def observed(digits):
    split = draw_split(len(digits[1]), 150, 0)
    return {role: observe(digits, role, split) for role in ("target", "shadow")}


ATTACKS = {
    "gap": (gap.Attack, "noise"),
    "noise": (vote.Attack, "noise"),
    "bernoulli": (vote.Attack, "flips"),
    "rotation": (classifier.Attack, "rotations"),
    "translation": (classifier.Attack, "translations"),
    "boundary": (distance.Attack, "boundary"),
    "combined": (classifier.Attack, "copies"),
    "max-confidence": (max_confidence.Attack, "confidences"),
    "true-confidence": (true_confidence.Attack, "confidences"),
    "shokri": (classifier.Attack, "confidences"),
    "adaptive-confidence": (adaptive_confidence.Attack, "confidences"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_null_control(observed, attack):
    """Membership drawn at random after training, for the target and for the shadow: chance is all there is."""
    make, reads = ATTACKS[attack]
    rng = np.random.default_rng(7)
    target, shadow = observed["target"][0][reads], observed["shadow"][0][reads]
    accuracies = []
    for _ in range(20):
        drawn = [rng.permutation(observed[role][1]) for role in ("target", "shadow")]
        way = run_attack(make, target, [shadow], [drawn[1]])[0]
        accuracies.append(evaluate(way.scores, drawn[0], way.threshold, [], 200)["accuracy"])
    inside = [low <= 0.5 <= high for _, low, high in accuracies]
    mean = np.mean([value for value, _, _ in accuracies])
    assert sum(inside) >= 16 and abs(mean - 0.5) < 4 * 0.5 / np.sqrt(20 * 300)


def test_gap_identity(observed):
    """Accuracy of the gap attack = 1/2 + (train - test accuracy) / 2, exactly."""
    answers, is_member, (train_accuracy, test_accuracy) = observed["target"]
    found = at_threshold(gap.Attack().score(answers["noise"]), is_member, 0.5)["accuracy"]
    assert found == pytest.approx(0.5 + (train_accuracy - test_accuracy) / 2, abs=1e-12)


def test_label_only_attacks_beat_the_gap(observed):
    target, is_member, _ = observed["target"]
    shadow, known, _ = observed["shadow"]
    found = {}
    for name, (make, reads) in ATTACKS.items():
        way = run_attack(make, target[reads], [shadow[reads]], [known])[0]
        found[name] = at_threshold(way.scores, is_member, way.threshold)["accuracy"]
    assert found["boundary"] > found["gap"] + 0.04 and found["noise"] > found["gap"] + 0.04


class Memoriser(torch.nn.Module):
    """Calls class 0 what is near a point that it knows, nearer for non-members, and everything else class 1."""

    def __init__(self, members, others):
        super().__init__()
        self.points = torch.cat([members, others]).flatten(1)
        self.radii = torch.cat([torch.full((len(members),), 0.4), torch.full((len(others),), 0.05)])

    def forward(self, x):
        known = (torch.cdist(x.flatten(1), self.points) < self.radii).any(dim=1)
        return torch.stack([known.float(), 0.5 * torch.ones(len(x))], dim=1)


def test_positive_control(digits):
    """Where every label is right, and members lie further inside, the gap attack is blind and the boundary tells all.

    Members sit in balls of class 0 with radius 0.4, non-members in balls with radius 0.05.
    """
    split = draw_split(len(digits[1]), 100, 1)
    seen, is_member = {}, {}
    for role in ("target", "shadow"):
        ids = split.evaluated(role)
        model = Memoriser(digits[0][split.members(role)], digits[0][split.nonmembers(role)])
        classes = np.zeros(len(ids), int)
        draws = partial(_copy_streams, ids)
        found = search_boundary(model, digits[0][ids], classes, draws, budget=100)
        labels, _ = ask_fixed(model, digits[0][ids], original.Perturbation(), partial(draws, 0))
        seen[role] = {"boundary": Distances(*found[:2], classes), "gap": Answers(labels, classes, np.zeros(1))}
        is_member[role] = split.is_member(role, ids)
    for name, attack in (("gap", gap), ("boundary", distance)):
        way = run_attack(attack.Attack, seen["target"][name], [seen["shadow"][name]], [is_member["shadow"]])[0]
        found = at_threshold(way.scores, is_member["target"], way.threshold)["accuracy"]
        assert found == 0.5 if name == "gap" else found >= 0.99
