"""Query sets that are made with gradients of other models, before any target is asked."""

from typing import Annotated, Literal

from pydantic import Field

from workflow.config.plugin_source_reader import read_constant
from workflow.config.schema.base import Distinct, Falling, Fraction, NonEmpty, Positive
from workflow.config.schema.query import Labelled


class Oslo(Labelled):
    kind: Literal["oslo"]
    package = "crafting"
    target = "Crafting"
    crafted_from = "surrogates"
    thresholds: Annotated[list[Fraction], NonEmpty, Distinct, Falling] = Field(
        [0.9, 0.7, 0.5, 0.3, 0.1, 0.03, 0.01, 0.001],
        description="one query for each: the first input of which validators are less sure than this of its class",
    )
    epsilon: Positive = Field(80 / 255, description="largest change of a feature, in units of the inputs")
    levels: Annotated[int, Field(ge=1, le=10**4)] = Field(80, description="in which the bound grows to epsilon")
    steps: Annotated[int, Field(ge=1, le=10**4)] = Field(5, description="along the gradient within each level")
    sources: Annotated[int, Field(ge=1, le=1000)] = Field(9, description="surrogates whose gradients move inputs")
    validators: Annotated[int, Field(ge=0, le=1000)] = Field(
        3, description="further surrogates, which tell when to stop; 0: the sources do"
    )
    axis = "largest change of a feature"

    def cost(self) -> float:
        return 1 + len(self.thresholds)

    def n_perturbed(self) -> int:
        return len(self.thresholds)

    def magnitudes(self) -> list[str]:
        """One: all thresholds are read together."""
        return [f"{self.unit()}={self.epsilon:g}"]

    def n_gradients(self, models: int) -> int:
        return self.levels * self.steps * self.sources

    def surrogate_roles(self) -> list[str]:
        return [f"surrogate{number}" for number in range(self.sources + self.validators)]


class Yoqo(Labelled):
    kind: Literal["yoqo"]
    package = "crafting"
    target = "Crafting"
    crafted_from = "pool"
    online: bool = Field(True, description="whether models that were trained on an example are used too")
    steps: Annotated[int, Field(ge=1, le=10**5)] = Field(50, description="of gradient descent at most")
    rate: Positive = Field(0.01, description="length of a step, for a gradient of length 1")
    alpha: Positive | None = Field(
        None,
        description="weight of models that do not know an example, or offline of its change; default: 2, offline 5",
    )
    end: Positive | None = Field(None, description="loss at which a search ends; default: 4, offline 8")
    clip: bool = Field(False, description="whether inputs are kept in the box of the data set; the authors' are not")
    axis = "steps"

    def cost(self) -> float:
        return 2

    def n_perturbed(self) -> int:
        return 1

    def magnitudes(self) -> list[str]:
        return [f"{self.unit()}={self.steps}"]

    def n_gradients(self, models: int) -> int:
        """Of the larger fold of pairs, of which offline only models are used that do not know the example.

        Whether the last step got to the end takes one more.
        """
        pairs = -(-models // 2 // read_constant("lmia.models.crafting_models", "FOLDS"))
        return (self.steps + 1) * pairs * (2 if self.online else 1)
