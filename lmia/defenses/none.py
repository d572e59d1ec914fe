"""No defense."""

from lmia.defenses import base


class Defense(base.Defense):
    """Changes nothing."""

    graphable = True
