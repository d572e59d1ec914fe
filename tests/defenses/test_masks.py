"""Masks change confidences, and never a label."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lmia.defenses import memguard, none, rounding, top_k

MASKS = {
    "memguard": memguard.Defense(),
    "memguard, barely": memguard.Defense(margin=1e-4),
    "top 1": top_k.Defense(),
    "top 3": top_k.Defense(k=3),
    "whole": rounding.Defense(decimals=0),
    "tenths": rounding.Defense(decimals=1),
    "thousandths": rounding.Defense(decimals=3),
}


@pytest.mark.parametrize("name", MASKS)
@settings(deadline=None)
@given(seed=st.integers(0, 2**31), n_classes=st.integers(2, 120), sharpness=st.sampled_from([0.01, 1, 30]))
def test_labels_stay_and_are_the_only_largest(name, seed, n_classes, sharpness):
    logits = torch.randn(20, n_classes, generator=torch.Generator().manual_seed(seed)) * sharpness
    confidences = logits.softmax(dim=1)
    masked = MASKS[name].mask(confidences.clone())
    assert masked.shape == confidences.shape and masked.min() >= 0 and masked.max() <= 1 + 1e-6
    top = confidences.argmax(dim=1)
    torch.testing.assert_close(masked.argmax(dim=1), top, rtol=0, atol=0)
    tied = (masked == masked.amax(dim=1, keepdim=True)).sum(dim=1) > 1
    assert not tied.any()


@pytest.mark.parametrize("name", MASKS)
def test_the_label_of_equals_stays(name):
    """The first of them, as arg-max has it."""
    level = torch.tensor([[0.1] * 10, [0.0] * 3 + [0.3] * 2 + [0.08] * 5])
    assert MASKS[name].mask(level).argmax(dim=1).tolist() == [0, 3]


def test_memguard_tells_the_label_and_no_more():
    confidences = torch.tensor([[0.9, 0.1, 0.0, 0.0], [0.3, 0.3, 0.4, 0.0]])
    masked = memguard.Defense(margin=0.15).mask(confidences)
    torch.testing.assert_close(masked, torch.tensor([[0.4, 0.2, 0.2, 0.2], [0.2, 0.2, 0.4, 0.2]]))
    with pytest.raises(ValueError, match="margin: expected in .0, 0.75. for 4 classes, got 0.8"):
        memguard.Defense(margin=0.8).mask(confidences)


def test_others_by_hand():
    confidences = torch.tensor([[0.62, 0.30, 0.08], [0.36, 0.34, 0.30]])
    torch.testing.assert_close(top_k.Defense(k=2).mask(confidences)[0], torch.tensor([0.62, 0.30, 0.0]))
    torch.testing.assert_close(top_k.Defense(k=9).mask(confidences), confidences)
    expected = torch.tensor([[0.6, 0.3, 0.1], [0.4, 0.3, 0.3]])
    torch.testing.assert_close(rounding.Defense(decimals=1).mask(confidences), expected)
    level = torch.tensor([[0.28, 0.26, 0.26, 0.20]])  # all but the last would round to 0.3
    torch.testing.assert_close(rounding.Defense().mask(level), torch.tensor([[0.3, 0.2, 0.2, 0.2]]))
    assert none.Defense().mask(level) is level
