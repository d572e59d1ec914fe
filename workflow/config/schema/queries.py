"""Query sets: what is asked of a model, what it costs, and what it yields."""

import math
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from workflow.config.plugin_source_reader import read_attribute
from workflow.config.schema.base import (
    EXTRA,
    ByKind,
    Count,
    Custom,
    Distinct,
    Entry,
    Falling,
    Fraction,
    NonEmpty,
    Pixels,
    Positive,
)
from workflow.config.schema.datasets import Dataset

# Queries that take a search to the boundary: the input, one start, and the halvings between them, of inputs with up to
# 4,096 values.
MIN_SEARCH = {"economical": 8, "published": 20, "warm": 6}
Samples = Annotated[int, Field(ge=1, le=10**5)]


class Query(Entry):
    """observation: what it yields, one of `lmia.attacks.observations.OBSERVATIONS`; perturbs: whether inputs are
    modified; asks: on which data sets, of "numbers" or "records" or both; counts_labels: whether its cost is counted in
    labels; crafted_from: the models whose gradients make its queries beforehand, "surrogates" of a pool, or "pool" for
    its own in two folds, None where queries are made as they are asked; MAGNITUDES: the option with the magnitudes,
    None where there is none; axis: what figures say below an axis of magnitudes, "" for their unit.
    """

    package = "perturbations"
    target = "Perturbation"
    observation: ClassVar[str] = "labels"
    perturbs: ClassVar[bool] = True
    asks: ClassVar[tuple[str, ...]] = ("numbers",)
    counts_labels: ClassVar[bool] = True
    crafted_from: ClassVar[str | None] = None
    MAGNITUDES: ClassVar[str | None] = None
    axis: ClassVar[str] = ""

    def cost(self) -> float:
        """Queries per example at most, in one setting; unknown is infinite."""
        return math.inf

    def cost_of_all(self) -> float:
        """Queries per example at most, in all settings together."""
        field = self.magnitudes_in()
        if not field:
            return self.cost()
        each = [self.model_copy(update={field: [size]}) for size in getattr(self, field)]
        return 1 + sum(one.cost() - 1 for one in each)

    def n_copies(self) -> int:
        """Around how many points each example's budget is spent."""
        return 1

    def n_perturbed(self) -> int | None:
        """How many labels of modified inputs are asked for at most, in one setting; None where nobody counts them."""
        return None

    def stops_early(self) -> bool:
        """Whether searches end once they are settled: then they answer for one threshold, and have no order."""
        return False

    def n_references(self) -> int:
        """At how many shadows, which have not seen it, the search around an example starts at most."""
        return 0

    def moves_images(self) -> bool:
        """Whether it needs inputs with a height and a width."""
        return False

    def has_magnitudes(self) -> bool:
        """Whether its inputs are perturbed, each by some magnitude."""
        return self.observation == "labels" and self.perturbs

    def surrogate_roles(self) -> list[str]:
        """Roles of the surrogates that it is crafted from, as a pool has them."""
        return []

    def n_relabelled(self) -> int:
        """How many models that are trained on labels of a target are asked beside it, in pools alone."""
        return 0

    def relabelled_roles(self) -> list[str]:
        """Roles of these models."""
        return [f"relabelled{number}" for number in range(self.n_relabelled())]

    def magnitudes_in(self) -> str | None:
        """The option with the magnitudes, None where there is none."""
        return self.MAGNITUDES

    def unit(self) -> Any:
        """What its magnitudes count, as metrics.csv and axes have it; None where its class does not write it out."""
        return read_attribute(self.module, self.target, "unit")

    def magnitudes(self) -> list[str]:
        """The settings of one magnitude each, as metrics.csv names them: "sigma=0.1"."""
        option = self.magnitudes_in()
        return [f"{self.unit()}={value:g}" for value in getattr(self, option)] if option else []

    def remarks(self, theirs: int | None) -> list[str]:
        """What a reader must know to compare its numbers with the paper's, which rest on so many queries, or None."""
        if theirs in (None, ours := self.n_perturbed()):
            return []
        return [f"{ours:,} queries, paper: {theirs:,}" if ours else f"paper: {theirs:,} queries"]

    def refused_by(self, dataset: Dataset) -> str | None:
        """Why it cannot be asked on a data set of this class; None where it can."""
        given = "records" if dataset.is_table else "numbers"
        if given in self.asks:
            return None
        if dataset.is_table:
            return "moves numbers, and a table has columns of its own, with no distance between records; use kind table"
        return "changes columns of a table, and the data set has numbers alone; use kind csv there"

    def mistakes_on(self, name: str, dataset: Dataset, shape: tuple[int, ...]) -> Iterable[str]:
        """Lines "option: value: what is wrong" where it cannot be asked on inputs of a shape, of data set `name`."""
        return ()


class CustomQuery(Custom, Query):
    """Perturbations that are not part of lmia. A constant MAGNITUDES of the module names the option with its
    magnitudes, so that claims and figures can name one of them.
    """

    model_config = EXTRA

    asks = ("numbers", "records")

    def magnitudes_in(self) -> str | None:
        return self.stated("MAGNITUDES")

    def n_perturbed(self) -> int | None:
        """Its option `samples`, where that counts something as it does for lmia's own kinds."""
        samples = self.options().get("samples")
        return samples if isinstance(samples, int) and not isinstance(samples, bool) else None

    def remarks(self, theirs: int | None) -> list[str]:
        return super().remarks(theirs) + (["bfloat16"] if self.options().get("precision") == "bfloat16" else [])


class Original(Query):
    kind: Literal["original"]
    perturbs = False
    asks = ("numbers", "records")

    def cost(self) -> float:
        return 1


class Labelled(Query):
    """A query set whose labels may be asked in reduced precision."""

    precision: Literal["float32", "bfloat16", "auto"] = Field(
        "float32",
        description="of the model; bfloat16 is audited, and given up where it changes too many labels; auto: labels of "
        "float32, by bfloat16 where that suffices and takes less time",
    )
    most_disagreement: float = Field(
        0.05, ge=0, le=1, description="share of labels that bfloat16 may change before all is asked in float32"
    )

    def remarks(self, theirs: int | None) -> list[str]:
        return super().remarks(theirs) + (["bfloat16"] if self.precision == "bfloat16" else [])


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


class References(Query):
    kind: Literal["references"]
    models: Annotated[int, Field(ge=2, le=1000)] = Field(
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


class WhiteBox(Query):
    kind: Literal["white_box"]
    steps: Annotated[int, Field(ge=2, le=10**5)] = Field(100, description="gradients per example; not label queries")
    observation = "white_box"
    counts_labels = False

    def cost(self) -> float:
        """Gradients of the model per example, where other kinds count labels."""
        return self.steps


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
