"""Models: networks by their kinds."""

from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from workflow.config.schema.base import EXTRA, ByKind, Count, Custom, Entry, NonEmpty


class Model(Entry):
    package = "models"
    target = "build"
    needs_images: ClassVar[bool] = False


class CustomModel(Custom, Model):
    """A model that is not part of lmia."""

    model_config = EXTRA


Initialization = Annotated[
    Literal["torch", "glorot"],
    Field(description="of the weights: torch's own, or Glorot's uniform, as the paper's released code has it"),
]


class Mlp(Model):
    kind: Literal["mlp"]
    initialization: Initialization = "torch"
    hidden: list[Count] = Field([128], description="tanh units of each hidden layer")


class Cnn(Model):
    kind: Literal["cnn"]
    needs_images = True
    initialization: Initialization = "torch"
    channels: Annotated[list[Count], NonEmpty] = Field([32, 64], description="filters of each block")
    convolutions: Count = Field(2, description="per block")
    dense: Count = Field(512, description="units of the hidden layer")


class WideResNet(Model):
    kind: Literal["wide_resnet"]
    norm: Literal["batch", "group"] = Field("batch", description="group: of 8 filters, for dp_sgd")
    depth: Annotated[int, Field(ge=10, le=10**4, multiple_of=2)] = Field(28, description="6 k + 4: 10, 16, 22, 28, ...")
    width: Count = Field(2, description="16, 32 and 64 times as many filters")
    needs_images = True

    def mistakes(self) -> Iterable[tuple[str, str]]:
        if (self.depth - 4) % 6:
            yield "depth", "three groups of equal blocks need 6 k + 4; use 10, 16, 22 or 28"


AnyModel = Annotated[Mlp | Cnn | WideResNet | CustomModel, ByKind]
