"""Fewer epochs than the training loss asks for."""

from lmia.defenses import base


class Defense(base.Defense):
    """Training ends after exactly so many `epochs`."""

    graphable = True

    def __init__(self, epochs: int):
        self.epochs = epochs
