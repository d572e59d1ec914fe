"""Weight decay apart from the loss (Loshchilov and Hutter 2019), which Adam's scaling does not weaken as it does L2."""

from lmia.defenses import base


class Defense(base.Defense):
    """Before each step every weight loses a share of learning rate times `strength`."""

    graphable = True

    def __init__(self, strength: float):
        self.weight_decay = strength
