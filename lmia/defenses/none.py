"""No defense."""


class Defense:
    """Changes nothing; the class to derive from."""

    def penalty(self, model):
        """Added to the training loss: 0."""
        return 0.0

    def mask(self, confidences):
        """The confidences (n, n_classes) themselves."""
        return confidences
