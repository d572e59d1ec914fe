"""What defenses minimise, in either precision."""

import pytest
import torch

from tests.defenses.small_task import BUILD, DEFENSES, SHAPE, defend, draw


@pytest.mark.parametrize("kind", [kind for kind in DEFENSES if kind != "dp_sgd"])  # which moves the weights itself
def test_losses_are_in_float32_where_passes_are_in_bfloat16(kind):
    """Else the smallest improvement that counts in training would be a rounding."""
    torch.manual_seed(0)
    model, defense = BUILD(SHAPE, 3), defend(kind, **DEFENSES[kind])
    defense.prepare(model, 3, 50)
    with torch.autocast("cpu", torch.bfloat16):
        assert model(draw()[0]).dtype == torch.bfloat16
        loss = defense.loss(model, *draw())
    assert loss.dtype == torch.float32 and loss.isfinite()
