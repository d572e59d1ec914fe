"""Query sets that search: for the nearest input with another label, or along fixed directions."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from workflow.config.plugin_source_reader import read_constant
from workflow.config.schema.base import Count, Distinct, NonEmpty
from workflow.config.schema.query import Labelled, Query

# Queries that take a search to the boundary: the input, one start, and the halvings between them, of inputs with up to
# 4,096 values.
MIN_SEARCH = {"economical": 8, "published": 20, "warm": 6}


class HopSkipJump(Labelled):
    kind: Literal["hopskipjump"]
    RENAMED = {"copies": "shift_pixels"}
    budget: Count = Field(
        description="queries per example, all copies together; at least 8 for each copy, 20 as published, 6 warm"
    )
    schedule: Literal["economical", "published", "warm"] = Field(
        "economical",
        description="published: as Chen et al. 2019; economical: the same order of distances for fewer; warm: for far "
        "fewer, from where shadows that have not seen the example change their label",
    )
    references: Annotated[int, Field(ge=1, le=10)] | None = Field(
        None,
        description="of schedule: warm, shadows that searches of one example start at, at most; a study has one more "
        "at least; default: 1",
    )
    initial_probes: Annotated[int, Field(ge=2, le=10**5)] | None = Field(
        None, description="gradient probes of the first step; default: the schedule's"
    )
    init_tries: Count = Field(100, description="random starts before an example is censored")
    shift_pixels: Annotated[int, Field(ge=0)] = Field(0, description="d >= 1: also around all shifts by d pixels")
    stop_error: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="stop an example once its side of the shadow's threshold is settled, but for this share of "
        "errors on the shadow, all of which are called members; accuracy only, no ROC; default: spend the budget",
    )
    random_inputs: Annotated[int, Field(ge=0, le=10**7)] = Field(
        0,
        description="random inputs whose boundary is searched too, for a threshold without a shadow; each costs a "
        "budget of its own, and a query for its label",
    )
    observation = "distances"

    def cost(self) -> float:
        return self.budget

    def n_copies(self) -> int:
        """Around how many points each example's budget is spent: the input and its 4d shifts."""
        return 1 + 4 * self.shift_pixels

    def n_references(self) -> int:
        return (self.references or 1) if self.schedule == "warm" else 0

    def n_gradients(self, models: int) -> int:
        return read_constant("lmia.boundary.crossings", "STEPS") * self.n_references()

    def moves_images(self) -> bool:
        return self.shift_pixels > 0

    def stops_early(self) -> bool:
        return self.stop_error is not None

    def n_perturbed(self) -> int | None:
        return self.budget

    def remarks(self, theirs: int | None) -> list[str]:
        return [f"{self.schedule} search", *super().remarks(theirs)]

    def mistakes(self) -> Iterable[tuple[str, str]]:
        if self.budget < (least := MIN_SEARCH[self.schedule] * self.n_copies()):
            yield (
                "budget",
                f"to reach the boundary once, each of {self.n_copies()} copies needs {MIN_SEARCH[self.schedule]} "
                f"queries; use at least {least}",
            )
        if self.references and not self.n_references():
            yield "references", "only searches of schedule: warm start at shadows; remove it, or set that"
        if self.n_references() and self.random_inputs:
            yield "random_inputs", "no shadow says where searches around them start; remove this, or schedule: warm"
        if self.stops_early() and self.shift_pixels:
            yield "stop_error", "only one distance has a threshold to stop at; remove this or shift_pixels"
        for option, is_used in (("shift_pixels", self.shift_pixels > 0), ("stop_error", self.stops_early())):
            if self.random_inputs and is_used:
                yield "random_inputs", f"needs whole searches around the input alone; remove this or {option}"


class Directions(Labelled):
    kind: Literal["directions"]
    directions: Annotated[list[Literal["white", "black", "random", "largest"]], NonEmpty, Distinct] = Field(
        ["white"],
        description="points that inputs move towards, largest: of the input's own largest value; an attack of kind "
        "distance reads the first alone",
    )
    levels: Annotated[int, Field(ge=2, le=1024)] = Field(
        32, description="steps to each point, a power of two; the first one with a wrong label is the distance"
    )
    method: Literal["bisection", "scan"] = Field(
        "bisection", description="bisection: log2(levels) queries per direction; scan: all levels but the last"
    )
    relabelled: Annotated[int, Field(ge=0, le=1000)] = Field(
        0,
        description="of a pool: models trained on labels of each target, which are asked the same beside it; an "
        "attack of kind dhattack needs 2 at least, and 256 are published",
    )
    observation = "distances"

    def cost(self) -> float:
        return 1 + self.n_perturbed()

    def n_copies(self) -> int:
        """A budget is split over directions."""
        return len(self.directions)

    def n_relabelled(self) -> int:
        return self.relabelled

    def n_perturbed(self) -> int:
        per_direction = self.levels.bit_length() - 1 if self.method == "bisection" else self.levels - 1
        return len(self.directions) * per_direction

    def remarks(self, theirs: int | None) -> list[str]:
        return ["fixed directions", *super().remarks(theirs)]

    def mistakes(self) -> Iterable[tuple[str, str]]:
        if self.levels.bit_count() > 1:
            less = 1 << self.levels.bit_length() - 1
            yield "levels", f"expected a power of two; use {less} or {2 * less}"
        if self.relabelled and len(self.directions) > 1:
            yield "relabelled", "these models are compared in one direction; give it a query set of one, or set it to 0"


class WhiteBox(Query):
    kind: Literal["white_box"]
    steps: Annotated[int, Field(ge=2, le=10**5)] = Field(100, description="gradients per example; not label queries")
    observation = "white_box"
    counts_labels = False

    def cost(self) -> float:
        """Gradients of the model per example, where other kinds count labels."""
        return self.steps
