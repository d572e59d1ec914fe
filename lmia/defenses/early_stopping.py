"""Fewer epochs than the training loss asks for."""

from lmia.defenses import base


class Defense(base.Defense):
    """Training ends after exactly so many `epochs`."""

    def __init__(self, epochs):
        self.epochs = epochs
