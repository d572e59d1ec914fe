"""Label smoothing (Szegedy et al. 2016)."""

from torch import nn

from lmia.defenses import base


class Defense(base.Defense):
    """Targets give `amount`, in [0, 1), to all classes evenly and the rest to the true one."""

    def __init__(self, amount):
        self._amount = amount

    def loss(self, model, inputs, classes):
        return nn.functional.cross_entropy(model(inputs), classes, label_smoothing=self._amount)
