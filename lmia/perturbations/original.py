"""The unmodified input alone: all that the gap attack asks."""


class Perturbation:
    """No query beyond the input itself."""

    unit = "queries"
    magnitudes = ()

    def blocks(self, inputs, streams):
        """Yields nothing."""
        return iter(())
