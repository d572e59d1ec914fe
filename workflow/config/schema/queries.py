"""Query sets of all kinds, and those that ask other models or for confidences."""

from typing import Annotated, Literal

from pydantic import Field

from workflow.config.schema.base import ByKind
from workflow.config.schema.copies import (
    AugmentationGrid,
    Augmented,
    Bernoulli,
    Gaussian,
    Mixed,
    Original,
    Rotation,
    TableCopies,
    Translation,
    WordCopies,
)
from workflow.config.schema.crafted_queries import Oslo, Yoqo
from workflow.config.schema.query import CustomQuery, Query
from workflow.config.schema.searches import Directions, HopSkipJump, WhiteBox


class References(Query):
    kind: Literal["references"]
    models: Annotated[int, Field(ge=4, le=1000)] = Field(
        12, description="trained like the given model, each on as many random records, half of them all at most"
    )
    observation = "references"
    perturbs = False
    asks = ("numbers", "records")

    def cost(self) -> float:
        return 1


class Relabelled(Query):
    """The label of each example, and its loss under one model that is trained on labels of the target."""

    kind: Literal["relabelled"]
    observation = "relabelled"
    perturbs = False

    def cost(self) -> float:
        return 1

    def n_relabelled(self) -> int:
        return 1


class ConfidenceVector(Query):
    kind: Literal["confidences"]
    asks = ("numbers", "records")
    population: Annotated[int, Field(ge=0, le=10**7)] = Field(
        0,
        description="further points that each model is asked about, beside its members and non-members; some "
        "calibrations compare with them",
    )
    observation = "confidences"

    def cost(self) -> float:
        return 1


AnyQuery = Annotated[
    Original
    | Rotation
    | Translation
    | Augmented
    | AugmentationGrid
    | Gaussian
    | Bernoulli
    | Mixed
    | TableCopies
    | WordCopies
    | HopSkipJump
    | Directions
    | Oslo
    | Yoqo
    | References
    | Relabelled
    | ConfidenceVector
    | WhiteBox
    | CustomQuery,
    ByKind,
]
