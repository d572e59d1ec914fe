"""L2 regularization (section 6 of the paper)."""

from torch import nn

from lmia.defenses import none


def weights_of(model, layers):
    """The weights of fully connected layers ("dense"), or of convolutions as well ("all"); biases are left alone.

    Raises ValueError for other `layers`.
    """
    kinds = {"dense": nn.Linear, "all": nn.Linear | nn.Conv2d}
    if layers not in kinds:
        raise ValueError(f"layers: {layers}: expected one of {', '.join(kinds)}")
    return [module.weight for module in model.modules() if isinstance(module, kinds[layers])]


class Defense(none.Defense):
    """The sum of squared weights, times `strength`, joins the loss. layers: see `weights_of`."""

    def __init__(self, strength, layers="dense"):
        self._strength, self._layers = strength, layers

    def penalty(self, model):
        """A scalar tensor."""
        return self._strength * sum(weight.square().sum() for weight in weights_of(model, self._layers))
