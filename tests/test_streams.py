"""Random streams, one for each example."""

import numpy as np
import pytest
import torch

import lmia.streams
from lmia.models import mlp
from lmia.perturbations import gaussian, rotation, translation
from lmia.queries.fixed_queries import ask_fixed
from lmia.streams import Subset, seed_list, stream, streams


def test_a_stream_depends_on_its_example_alone():
    together = [generator.random() for generator in streams(7, "test", np.array([3, 5, 9]))]
    assert together == [stream(7, "test", number).random() for number in (3, 5, 9)]
    assert len(set(together)) == 3


def test_seeds_purposes_and_examples_have_numbers_of_their_own():
    keys = [(0, "one", 0), (1, "one", 0), (0, "two", 0), (0, "one", 1), (1, "two", 1)]
    assert len({stream(*key).random() for key in keys}) == len(keys)
    assert len({streams(seed, purpose, [0, number])[1].random() for seed, purpose, number in keys}) == len(keys)


def test_published_numbers_can_be_drawn_again():
    """Other numbers would be other results."""
    assert stream(1, "a").integers(1000, size=3).tolist() == [90, 783, 677]
    assert stream(1, "a").random() == stream(1, "a", 0).random()


def test_a_stream_goes_on_where_it_was_left():
    drawn, expected = streams(0, "test", range(4)), stream(0, "test", 2)
    assert [drawn[2].random(), drawn[-2].random(), Subset(drawn, [0, 2])[1].random()] == expected.random(3).tolist()
    assert len(drawn) == 4 and len(Subset(drawn, [0, 2])) == 2
    with pytest.raises(IndexError):
        drawn[4]


@pytest.mark.parametrize(
    "perturbation, made",
    [(rotation.Perturbation([5]), 0), (translation.Perturbation([1]), 0), (gaussian.Perturbation([0.1], 3), 20)],
)
def test_streams_that_are_not_drawn_from_are_not_made(monkeypatch, perturbation, made):
    makes = []
    monkeypatch.setattr(lmia.streams, "stream", lambda *key: makes.append(key) or stream(*key))
    images = torch.rand(20, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    ask_fixed(mlp.build((1, 8, 8), 3), images, perturbation, lambda: streams(0, "test", range(20)))
    assert len(makes) == made


@pytest.mark.parametrize(
    "block, seeds", [("0-5", [0, 1, 2, 3, 4, 5]), ("6", [6]), (6, [6]), ("7-8", [7, 8]), ("3-2", [])]
)
def test_blocks_name_their_seeds(block, seeds):
    assert seed_list(block) == seeds
