"""How a network's weights begin."""

from typing import TypeVar

from torch import nn

INITIALIZATIONS = ("torch", "glorot")
Network = TypeVar("Network", bound=nn.Module)


def initialize(model: Network, kind: str) -> Network:
    """Draw the weights of all linear and convolutional layers anew, from torch's global stream; returns the model.

    kind: "torch" leaves what torch draws (uniform, scaled by the inputs of a unit alone, biases too); "glorot" is
    uniform scaled by inputs and outputs (Glorot and Bengio 2010, equation 16) with biases of 0, as Keras has it and so
    the paper's released code.

    Raises ValueError for another kind.
    """
    if kind not in INITIALIZATIONS:
        raise ValueError(f"initialization: {kind}: expected one of {', '.join(INITIALIZATIONS)}")
    if kind == "glorot":
        for layer in model.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                nn.init.xavier_uniform_(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
    return model
