"""Query sets of an example as it is, or of modified copies of it."""

import math
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from workflow.config.schema.base import Count, Distinct, NonEmpty, Pixels, Positive
from workflow.config.schema.datasets import Dataset
from workflow.config.schema.query import Labelled, Query

Samples = Annotated[int, Field(ge=1, le=10**5)]


class Original(Query):
    kind: Literal["original"]
    perturbs = False
    asks = ("numbers", "records")

    def cost(self) -> float:
        return 1


class Sampled(Labelled):
    """Random copies of every example."""

    samples: Samples

    def cost(self) -> float:
        return 1 + self.samples

    def n_perturbed(self) -> int | None:
        return self.samples


class Rotation(Labelled):
    kind: Literal["rotation"]
    degrees: Annotated[list[Annotated[float, Field(gt=0, le=180)]], NonEmpty, Distinct] = Field(
        description="r of x, +r, -r"
    )
    angles: Literal["ends", "all"] = Field(
        "ends", description="ends: +r and -r, as the paper; all: 1 to r each way, as its released code"
    )
    interpolation: Literal["bilinear", "nearest"] = Field("bilinear", description="of the turned image")
    border: Literal["repeat", "reflect", "black"] = Field("repeat", description="what comes in at the edges")
    MAGNITUDES = "degrees"
    axis = "rotation r (degrees)"

    def cost(self) -> float:
        return 3 if self.angles == "ends" else 1 + 2 * round(max(self.degrees))

    def moves_images(self) -> bool:
        return True

    def mistakes(self) -> Iterable[tuple[str, str]]:
        if self.angles == "all" and any(r != round(r) for r in self.degrees):
            yield "degrees", "angles: all goes in steps of 1; use whole degrees"


class Translation(Labelled):
    kind: Literal["translation"]
    pixels: Annotated[list[Count], NonEmpty, Distinct] = Field(description="d of all shifts with |i| + |j| = d")
    MAGNITUDES = "pixels"
    axis = "translation d (pixels)"

    def cost(self) -> float:
        return 1 + 4 * max(self.pixels)

    def moves_images(self) -> bool:
        return True


class Augmented(Sampled):
    kind: Literal["augmented"]
    pixels: Annotated[list[Pixels], NonEmpty, Distinct] = Field(description="d of random shifts by up to d each way")
    samples: Samples = Field(description="augmented copies per d")
    flips: bool = Field(True, description="half of them mirrored left to right")
    cutout: Pixels = Field(0, description="side of a grey square, in pixels; 0: none")
    MAGNITUDES = "pixels"
    axis = "translation d (pixels)"

    def moves_images(self) -> bool:
        return True


class AugmentationGrid(Labelled):
    kind: Literal["augmentation_grid"]
    flips: bool = Field(True, description="all shifted copies mirrored left to right, too")
    shifts: Annotated[list[Annotated[int, Field(ge=-1000, le=1000)]], NonEmpty, Distinct] = Field(
        [0, -4, 4], description="whole pixels, down and to the right in all combinations; 0 among them"
    )
    border: Literal["black", "repeat"] = Field("black", description="what comes in at the edges")
    axis = "translation d (pixels)"

    def cost(self) -> float:
        return 1 + self.n_perturbed()

    def n_perturbed(self) -> int:
        """All combinations but the unmodified image."""
        return (1 + self.flips) * len(self.shifts) ** 2 - 1

    def moves_images(self) -> bool:
        return True

    def magnitudes(self) -> list[str]:
        """One, of the largest shift: all copies are read together."""
        return [f"{self.unit()}={max(map(abs, self.shifts))}"]

    def mistakes(self) -> Iterable[tuple[str, str]]:
        if 0 not in self.shifts:
            yield "shifts", "expected 0 among them, for views that are not shifted; add it"
        elif not self.n_perturbed():
            yield "shifts", "leaves the unmodified image alone; add a shift, set flips, or use kind original"


class Gaussian(Sampled):
    kind: Literal["gaussian"]
    sigmas: Annotated[list[Positive], NonEmpty, Distinct] = Field(
        description="in units of the inputs: of [0, 1], or standard deviations of standardised features"
    )
    samples: Samples = Field(description="noisy copies per sigma")
    MAGNITUDES = "sigmas"
    axis = "noise sigma (units of the inputs)"


class Bernoulli(Sampled):
    kind: Literal["bernoulli"]
    flips: Annotated[list[Positive], NonEmpty, Distinct] = Field(description="expected flips per copy")
    samples: Samples = Field(description="copies per number of flips")
    MAGNITUDES = "flips"
    axis = "expected number of flipped features"

    def mistakes_on(self, name: str, dataset: Dataset, shape: tuple[int, ...]) -> Iterable[str]:
        if continuous := dataset.fact("CONTINUOUS"):
            yield f"kind: bernoulli: {name} has {continuous} continuous features; use mixed"
        if max(self.flips) > (features := math.prod(shape)):
            yield f"flips: {max(self.flips):g}: {name} has only {features} features; lower it"


class Mixed(Sampled):
    kind: Literal["mixed"]
    continuous: Count = Field(description="first features, which get Gaussian noise; all others are flipped")
    sigmas: Annotated[list[Positive], NonEmpty, Distinct] = Field(
        description="in units of the inputs: of [0, 1], or standard deviations of standardised features"
    )
    flips: Annotated[list[Positive], NonEmpty] = Field(description="expected flips per copy that go with each sigma")
    samples: Samples = Field(description="noisy copies per sigma")
    MAGNITUDES = "sigmas"
    axis = "noise sigma (units of the inputs)"

    def mistakes(self) -> Iterable[tuple[str, str]]:
        if len(self.flips) != len(self.sigmas):
            yield "flips", f"expected one for each of {self.sigmas}; give as many"

    def mistakes_on(self, name: str, dataset: Dataset, shape: tuple[int, ...]) -> Iterable[str]:
        if len(shape) != 1 or self.continuous >= shape[0]:
            yield (
                f"continuous: {self.continuous}: {name} has inputs of shape {list(shape)}; it needs a table with more "
                "features than that"
            )
            return
        if max(self.flips) > (others := shape[0] - self.continuous):
            yield f"flips: {max(self.flips):g}: {name} has only {others} other features; lower it"
        continuous = dataset.fact("CONTINUOUS")
        if dataset.knows_its_columns and continuous != self.continuous:
            use = f"set it to {continuous}" if continuous else "use bernoulli or gaussian"
            yield f"continuous: {self.continuous}: {name} has {continuous or 'no'} continuous features; {use}"


class TableCopies(Query):
    kind: Literal["table"]
    changes: Annotated[list[Positive], NonEmpty, Distinct] = Field(
        description="expected changed columns per copy; more than there are columns is left out"
    )
    samples: Samples = Field(description="copies per number of changes")
    move: Positive = Field(0.25, description="how far a number is moved, in standard deviations of its column")
    asks = ("records",)
    MAGNITUDES = "changes"
    axis = "expected number of changed columns"

    def cost(self) -> float:
        return 1 + self.samples

    def n_perturbed(self) -> int | None:
        return self.samples

    def refused_by(self, dataset: Dataset) -> str | None:
        texts, others = dataset.columns()
        if texts and not others:
            return "changes other columns than texts, and the data set has texts alone; use kind words there"
        return super().refused_by(dataset)

    def mistakes_on(self, name: str, dataset: Dataset, shape: tuple[int, ...]) -> Iterable[str]:
        if min(self.changes) > (n_columns := len(dataset.columns()[1])):
            yield f"changes: {min(self.changes):g}: {name} has only {n_columns} columns; lower it"


class WordCopies(Query):
    kind: Literal["words"]
    shares: Annotated[list[Annotated[float, Field(gt=0, le=1)]], NonEmpty, Distinct] = Field(
        description="expected share of a text's words that are changed in a copy"
    )
    samples: Samples = Field(description="copies per share")
    replace: float = Field(
        0.5, ge=0, le=1, description="share of the changed words that are replaced by others; the rest is taken out"
    )
    asks = ("records",)
    MAGNITUDES = "shares"
    axis = "expected share of changed words"

    def cost(self) -> float:
        return 1 + self.samples

    def n_perturbed(self) -> int | None:
        return self.samples

    def refused_by(self, dataset: Dataset) -> str | None:
        if not dataset.columns()[0]:
            return "changes words of texts, and the data set has none; use kind csv, and name them as its texts"
        return None
