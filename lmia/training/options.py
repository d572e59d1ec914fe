"""How a model is trained, whatever its defense."""

from dataclasses import dataclass

from lmia.training.optimizers import OPTIMIZERS

PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class TrainingOptions:
    """The options of one training.

    Args:
        learning_rate: > 0, of the optimizer.
        batch_size: views in a batch; the last batch of an epoch has the rest.
        min_delta: a smaller improvement of an epoch's mean loss does not count.
        patience: epochs without an improvement before training ends.
        max_epochs: where it ends in any case; a defense with `epochs` trains for exactly so many instead.
        optimizer: "adam" or "sgd", see `lmia.training.optimizers`.
        weight_decay: of the optimizer; a defense's own is added to it.
        precision: of the forward and backward pass: "float32" or "bfloat16". Weights, loss and updates are float32.

    Raises ValueError for another optimizer or precision.
    """

    learning_rate: float
    batch_size: int
    min_delta: float
    patience: int
    max_epochs: int
    optimizer: str = "adam"
    weight_decay: float = 0.0
    precision: str = "float32"

    def __post_init__(self):
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision: {self.precision}: expected one of {', '.join(PRECISIONS)}")
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer: {self.optimizer}: expected one of {', '.join(OPTIMIZERS)}")
