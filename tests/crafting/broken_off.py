"""Work that is ended at one of the moments at which its journal is written."""

import numpy as np

from lmia.journal import Journal


class Killed(Exception):
    pass


class Fragile(Journal):
    """A journal that keeps all that it is told, and ends the work as it is told something for the n-th time."""

    def __init__(self, saves):
        super().__init__()
        self.saves = saves

    def save(self, state):
        self._parts[self._name] = {name: np.array(array) for name, array in state().items()}
        self.saves -= 1
        if not self.saves:
            raise Killed
