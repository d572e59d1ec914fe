"""Every key of the configuration with its type, range, unit and default."""

import json
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator
from pydantic_core import PydanticCustomError

# Queries that take a search to the boundary: the input, one start, and the halvings between them, of inputs with up to
# 4,096 values.
LEAST_SEARCH = {"economical": 8, "published": 20}


def _distinct(values):
    if len(set(values)) < len(values):
        raise PydanticCustomError("distinct", "List should hold each value once")
    return values


Fraction = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
NonEmpty = Field(min_length=1)
Distinct = AfterValidator(_distinct)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_values(cls, value, info):
        """Python takes YAML's true for the number 1, which nobody means."""
        values = value if isinstance(value, list) else [value]
        if cls.model_fields[info.field_name].annotation is not bool and any(isinstance(v, bool) for v in values):
            raise PydanticCustomError("truth", "Input should not be true or false")
        return value


class Entry(Strict):
    """Something of a kind, with the options of that kind."""

    kind: str

    def options(self):
        """The keyword arguments for the module behind `kind`."""
        return self.model_dump(mode="json", exclude={"kind"})


class Custom(Entry):
    """A kind that is not part of lmia: the dotted path of a module, and whatever options that takes."""

    model_config = ConfigDict(extra="allow")
    kind: Annotated[str, Field(pattern=r"\.")]


def _one_of(*entries, custom=Custom):
    """A field that holds one of the built-in entries by its `kind`, or a custom one."""

    def tag(value):
        kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
        return "custom" if isinstance(kind, str) and "." in kind else kind

    kinds = [Annotated[entry, Tag(entry.model_fields["kind"].annotation.__args__[0])] for entry in entries]
    union = Annotated[custom, Tag("custom")]
    for kind in kinds:
        union = union | kind
    return Annotated[union, Discriminator(tag)]


class Digits(Entry):
    kind: Literal["digits"]
    pixel_noise: float = Field(
        0.0, ge=0, description="standard deviation of fixed Gaussian noise, pixel units of [0, 1]"
    )
    seed: int = Field(0, ge=0, description="of that noise")


class Torchvision(Entry):
    kind: Literal["torchvision"]
    name: str = Field(description="class in torchvision.datasets")
    root: str = Field("data", description="folder of its files")
    download: bool = True


class Mlp(Entry):
    kind: Literal["mlp"]
    hidden: list[Count] = Field([128], description="tanh units of each hidden layer")


class Cnn(Entry):
    kind: Literal["cnn"]
    channels: Annotated[list[Count], NonEmpty] = Field([32, 64], description="filters of each block")
    convolutions: Count = Field(2, description="per block")
    dense: Count = Field(512, description="units of the hidden layer")


class NoDefense(Entry):
    kind: Literal["none"]


class Original(Entry):
    kind: Literal["original"]

    def cost(self):
        return 1


class Labelled(Entry):
    """A query set whose labels may be asked in reduced precision."""

    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="of the model; bfloat16 is audited, and given up where it changes too many labels"
    )
    most_disagreement: float = Field(
        0.05, ge=0, le=1, description="share of labels that bfloat16 may change before all is asked in float32"
    )


class Rotation(Labelled):
    kind: Literal["rotation"]
    degrees: Annotated[list[Annotated[float, Field(gt=0, le=180)]], NonEmpty, Distinct] = Field(
        description="r of x, +r, -r"
    )

    def cost(self):
        return 3


class Translation(Labelled):
    kind: Literal["translation"]
    pixels: Annotated[list[Count], NonEmpty, Distinct] = Field(description="d of all shifts with |i| + |j| = d")

    def cost(self):
        return 1 + 4 * max(self.pixels)


class Gaussian(Labelled):
    kind: Literal["gaussian"]
    sigmas: Annotated[list[Annotated[float, Field(gt=0)]], NonEmpty, Distinct] = Field(
        description="pixel units of [0, 1]"
    )
    samples: Count = Field(description="noisy copies per sigma")

    def cost(self):
        return 1 + self.samples


class Bernoulli(Labelled):
    kind: Literal["bernoulli"]
    flips: Annotated[list[Annotated[float, Field(gt=0)]], NonEmpty, Distinct] = Field(
        description="expected flips per copy"
    )
    samples: Count = Field(description="copies per number of flips")

    def cost(self):
        return 1 + self.samples


class HopSkipJump(Labelled):
    kind: Literal["hopskipjump"]
    budget: Count = Field(
        description="queries per example, all copies together; at least 8 for each copy, 20 as published"
    )
    schedule: Literal["economical", "published"] = Field(
        "economical", description="published: as Chen et al. 2019; economical: the same order of distances for fewer"
    )
    initial_probes: Annotated[int, Field(ge=2)] | None = Field(
        None, description="gradient probes of the first step; default: the schedule's"
    )
    init_tries: Count = Field(100, description="random starts before an example is censored")
    copies: Annotated[int, Field(ge=0)] = Field(0, description="d >= 1: also around all shifts by d pixels")
    stop_error: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="stop an example once its side of the shadow's threshold is settled, but for this share of "
        "errors on the shadow; accuracy only, no ROC; default: spend the budget",
    )

    def cost(self):
        return self.budget

    def n_copies(self):
        """Around how many points each example's budget is spent: the input and its 4d shifts."""
        return 1 + 4 * self.copies


class ConfidenceVector(Entry):
    kind: Literal["confidences"]

    def cost(self):
        return 1


class Rule(Entry):
    """How answers are read. `budget` and `budgets` cut what was asked, so they cost no query."""

    reads: str = Field(description="a query set under `queries`")
    budget: Count | None = Field(None, description="most queries per example; default: all that were asked")
    budgets: Annotated[list[Count], Distinct] = Field([], description="smaller budgets that are reported as well")

    def options(self):
        return self.model_dump(mode="json", exclude={"kind", "reads", "budget", "budgets"})


class Gap(Rule):
    kind: Literal["gap"]


class Vote(Rule):
    kind: Literal["vote"]


class Distance(Rule):
    kind: Literal["distance"]


class MaxConfidence(Rule):
    kind: Literal["max_confidence"]


class TrueConfidence(Rule):
    kind: Literal["true_confidence"]


class Classifier(Rule):
    kind: Literal["classifier"]
    hidden: Annotated[list[Count], NonEmpty] = Field([10, 10], description="units of each layer")
    decays: Annotated[list[Annotated[float, Field(gt=0)]], NonEmpty, Distinct] = Field(
        [1.0, 10.0, 100.0], description="L2 weight decays to choose from on the shadow"
    )
    folds: Annotated[int, Field(ge=2)] = Field(3, description="of the cross-validation on the shadow")
    seed: Annotated[int, Field(ge=0)] = 0


class CustomRule(Custom, Rule):
    """A decision rule that is not part of lmia."""

    model_config = ConfigDict(extra="allow")


class Training(Strict):
    learning_rate: float = Field(1e-3, gt=0, description="of Adam")
    batch_size: Count = 100
    min_delta: float = Field(0.005, ge=0, description="least fall of the mean loss that counts as one")
    patience: Count = Field(20, description="epochs without one before training ends")
    max_epochs: Count = 1000
    shifts: int = Field(0, ge=0, description="pixels by which every image of every batch moves at random, each way")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="of forward and backward passes; weights and losses stay in float32"
    )


class Study(Strict):
    """What is trained: one model of each kind of role for every n_train, defense and seed."""

    dataset: str
    n_train: Annotated[list[Count], NonEmpty, Distinct] = Field(
        description="members per model; four disjoint splits are drawn"
    )
    model: str
    defenses: Annotated[list[str], NonEmpty, Distinct] = ["none"]
    seeds: Annotated[list[Annotated[str, Field(pattern=r"^\d+(-\d+)?$")] | Annotated[int, Field(ge=0)]], NonEmpty] = (
        Field(description='blocks of seeds, each one job: "0-5" is six seeds, 6 is one')
    )
    shadows: Count = Field(1, description="shadow models per seed")
    training: Training = Training()
    attacks: Annotated[list[str], Distinct] | None = Field(None, description="default: all")


class Metrics(Strict):
    fprs: Annotated[list[Fraction], Distinct] = Field(
        [0.01, 0.001], description="false-positive rates at which the TPR is reported"
    )
    resamples: Annotated[int, Field(ge=100)] = Field(1000, description="bootstrap draws")


class Figure(Strict):
    kind: Literal["bars", "sweep", "queries", "roc", "histogram", "gallery"]
    study: str
    title: str = ""
    attacks: Annotated[list[str], Distinct] | None = Field(None, description="default: all of the study")
    lines: Annotated[list[str], Distinct] = Field([], description="attacks drawn as level lines for comparison")
    n_train: Count | None = Field(None, description="which models, in a study with several sizes; bars show all")
    defense: str | None = Field(None, description="which models, in a study with several defenses; bars show all")
    queries: Annotated[list[str], Distinct] = Field([], description="gallery: the query sets to show")
    examples: Annotated[int, Field(ge=1, le=8)] = Field(3, description="gallery: how many images")


class Config(Strict):
    datasets: dict[Name, _one_of(Digits, Torchvision)]
    models: dict[Name, _one_of(Mlp, Cnn)]
    defenses: dict[Name, _one_of(NoDefense)] = {"none": NoDefense(kind="none")}
    studies: Annotated[dict[Name, Study], NonEmpty]
    queries: dict[Name, _one_of(Original, Rotation, Translation, Gaussian, Bernoulli, HopSkipJump, ConfidenceVector)]
    attacks: dict[Name, _one_of(Gap, Vote, Distance, MaxConfidence, TrueConfidence, Classifier, custom=CustomRule)]
    metrics: Metrics = Metrics()
    figures: dict[Name, Figure] = {}


if __name__ == "__main__":
    print(json.dumps(Config.model_json_schema(), indent=2))
