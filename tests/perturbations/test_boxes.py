"""Noise and flips of features whose range is not [0, 1]."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lmia.box import Box
from lmia.perturbations import bernoulli, gaussian, mixed
from lmia.queries.fixed_queries import BadQueries, ask_fixed
from lmia.streams import streams

CONTINUOUS, BINARY, N = 3, 5, 4
SAMPLES = 30
numbers = st.integers(-(10**5), 10**5).map(lambda n: n / 1024)  # of magnitudes as data has them
KINDS = {
    "gaussian": lambda **box: gaussian.Perturbation([0.1, 2], SAMPLES, **box),
    "bernoulli": lambda **box: bernoulli.Perturbation([1, 4], SAMPLES, **box),
    "mixed": lambda **box: mixed.Perturbation(CONTINUOUS, [0.1, 2], [1, 4], SAMPLES, **box),
}
WIDE = Box(np.full(CONTINUOUS + BINARY, -1e6), np.full(CONTINUOUS + BINARY, 1e6))


def ask(perturbation, inputs):
    return torch.cat(list(perturbation.blocks(inputs, streams(0, "test", range(len(inputs))))), dim=1)


def table(seed):
    """Records of numbers and of zeros and ones, float32 (N, features)."""
    draw = np.random.default_rng(seed)
    return np.float32(np.hstack([draw.random((N, CONTINUOUS)), draw.random((N, BINARY)) < 0.4]))


@pytest.mark.parametrize("kind", KINDS)
def test_ends_of_0_and_1_for_each_feature_are_those_of_all(kind):
    inputs, unit = torch.from_numpy(table(0)), Box(np.zeros(CONTINUOUS + BINARY), np.ones(CONTINUOUS + BINARY))
    assert torch.equal(ask(KINDS[kind](box=unit), inputs), ask(KINDS[kind](), inputs))


@settings(deadline=None)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    seed=st.integers(0, 10**6),
    low=st.lists(numbers, min_size=CONTINUOUS + BINARY, max_size=CONTINUOUS + BINARY),
)
def test_no_query_leaves_the_box(kind, seed, low):
    low = np.float32(low)
    box = Box(low, low + np.arange(1, len(low) + 1, dtype=np.float32))
    inputs = torch.from_numpy(np.float32(box.at(table(seed))))
    queries = ask(KINDS[kind](box=box), inputs).numpy()
    assert (queries >= box.low).all() and (queries <= box.high).all()
    assert (queries != inputs[:, None].numpy()).any()


@pytest.mark.parametrize("kind", KINDS)
def test_queries_are_held_to_the_box_that_is_stated(kind):
    """Each feature to its own, of which the message names the first."""
    low = np.float32([-3, 0, 2, *[0] * BINARY])
    box = Box(low, low + np.float32([6, 1, 4, *[5] * BINARY]))
    narrow = Box(box.low, np.append(box.high[:-1], 1))
    inputs, classifier = torch.from_numpy(np.float32(box.at(table(0)))), torch.nn.Linear(CONTINUOUS + BINARY, 2)
    perturbation, draws = KINDS[kind](box=box), lambda: streams(0, "test", range(N))
    ask_fixed(classifier, inputs, perturbation, draws, box=box)
    last = CONTINUOUS + BINARY - 1
    with pytest.raises(BadQueries, match=f"in the box of the inputs, 0 to 1, got 0 to 5 in feature {last}; clip what"):
        ask_fixed(classifier, inputs, perturbation, draws, box=narrow)


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), deviation=st.floats(0.01, 1000), sigma=st.floats(0.01, 10))
@pytest.mark.parametrize("kind", ["gaussian", "mixed"])
def test_noise_on_a_standardised_column_counts_that_columns_deviations(kind, seed, deviation, sigma):
    """Noise of sigma on z-scores is noise of sigma deviations on the numbers themselves."""

    def noisy(values, sigma):
        inputs = torch.from_numpy(np.hstack([values, table(seed)[:, CONTINUOUS:]]))
        options = {"continuous": CONTINUOUS, "flips": [1e-9]} if kind == "mixed" else {}
        module = mixed if kind == "mixed" else gaussian
        queries = ask(module.Perturbation(sigmas=[sigma], samples=SAMPLES, box=WIDE, **options), inputs)
        return queries[..., :CONTINUOUS].numpy()

    raw = deviation * np.random.default_rng(seed).normal(7, 1, (N, CONTINUOUS))
    mean, own = raw.mean(axis=0), raw.std(axis=0)
    moved = noisy((raw - mean) / own, sigma) * own + mean
    for column in range(CONTINUOUS):
        expected = noisy(raw, sigma * own[column])[..., column]
        np.testing.assert_allclose(moved[..., column], expected, rtol=1e-6, atol=1e-6 * deviation * max(1, sigma))


@settings(deadline=None)
@given(
    seed=st.integers(0, 10**6),
    low=st.lists(numbers, min_size=BINARY, max_size=BINARY),
    width=st.floats(0.01, 300),
)
@pytest.mark.parametrize("kind", ["bernoulli", "mixed"])
def test_flips_turn_one_of_two_values_into_the_other(kind, seed, low, width):
    """The same ones as of zeros and ones, and to the last bit."""
    plain = table(seed)
    if kind == "bernoulli":
        plain = plain[:, CONTINUOUS:]
    first = plain.shape[1] - BINARY
    ends = np.zeros(plain.shape[1], np.float32), np.ones(plain.shape[1], np.float32)
    ends[0][first:], ends[1][first:] = low, np.float32(low) + np.float32(width)
    box = Box(*ends)
    expected = ask(KINDS[kind](), torch.from_numpy(plain)).numpy()
    flipped = ask(KINDS[kind](box=box), torch.from_numpy(box.at(plain))).numpy()
    assert (expected != plain[:, None]).any()
    is_one = expected[..., first:] == 1
    np.testing.assert_array_equal(flipped[..., first:], np.where(is_one, ends[1][first:], ends[0][first:]))
