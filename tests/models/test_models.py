"""Sizes, first weights and checkpoints of models."""

from functools import partial

import pytest
import torch

from lmia.models import cnn, mlp, wide_resnet
from lmia.models.checkpoints import restore, to_arrays


@pytest.mark.parametrize(
    "build, shape",
    [
        (mlp.build, (30,)),
        (mlp.build, (1, 8, 8)),
        (cnn.build, (3, 32, 32)),
        (partial(wide_resnet.build, depth=10), (3, 8, 8)),
    ],
)
def test_models_survive_a_checkpoint(build, shape):
    torch.manual_seed(0)
    model = build(shape, 4)
    x = torch.rand(3, *shape)
    assert model(x).shape == (3, 4)
    model.eval()
    copy = restore(build(shape, 4), to_arrays(model, 5), 5)
    torch.testing.assert_close(copy(x), model(x), rtol=0, atol=0)


CNN_28 = 320 + 9248 + 18496 + 36928 + (64 * 5 * 5 + 1) * 512 + 513 * 10  # by hand: convolutions, dense, logits
CNN_32 = 896 + 9248 + 18496 + 36928 + (64 * 6 * 6 + 1) * 512


@pytest.mark.parametrize(
    "build, shape, n_classes, n_parameters",
    [
        (cnn.build, (3, 32, 32), 10, CNN_32 + 513 * 10),
        (cnn.build, (3, 32, 32), 100, CNN_32 + 513 * 100),
        (cnn.build, (1, 28, 28), 10, CNN_28),
        (mlp.build, (446,), 30, 447 * 128 + 129 * 30),
        (mlp.build, (600,), 100, 601 * 128 + 129 * 100),
        (mlp.build, (6169,), 100, 6170 * 128 + 129 * 100),
        (mlp.build, (107,), 2, 108 * 128 + 129 * 2),
        (wide_resnet.build, (3, 32, 32), 10, 1_467_610),  # as published implementations of WRN-28-2 count
    ],
)
def test_models_have_the_papers_sizes(build, shape, n_classes, n_parameters):
    assert sum(weights.numel() for weights in build(shape, n_classes).parameters()) == n_parameters


def test_wide_resnets_have_only_some_depths():
    with pytest.raises(ValueError, match="depth: expected 6 k . 4 .* got 27"):
        wide_resnet.build((3, 32, 32), 10, depth=27)


def test_weights_may_begin_as_in_the_released_code():
    torch.manual_seed(0)
    model = mlp.build((100,), 50, hidden=[200], initialization="glorot")
    for layer, bound in ((model[1], (6 / 300) ** 0.5), (model[3], (6 / 250) ** 0.5)):
        weights = layer.weight.detach()
        assert (layer.bias == 0).all() and weights.abs().max() == pytest.approx(bound, rel=0.01)
        assert weights.std() == pytest.approx(bound / 3**0.5, rel=0.02)
    filters = cnn.build((3, 8, 8), 10, convolutions=1, initialization="glorot")[0][0]
    assert filters.weight.detach().abs().max() == pytest.approx((6 / (9 * (3 + 32))) ** 0.5, rel=0.02)
    with pytest.raises(ValueError, match="initialization: he: expected one of torch, glorot"):
        mlp.build((100,), 50, initialization="he")
