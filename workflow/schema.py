"""Every key of the configuration with its type, range, unit and default."""

import json
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from workflow.schema_base import (
    Bounded,
    Count,
    Custom,
    Distinct,
    Entry,
    Falling,
    Fraction,
    Name,
    NonEmpty,
    NonNegative,
    Pixels,
    Positive,
    Rising,
    Strict,
    one_of,
)
from workflow.schema_defenses import DEFENSES, NoDefense
from workflow.schema_figures import FIGURES

# Queries that take a search to the boundary: the input, one start, and the halvings between them, of inputs with up to
# 4,096 values.
LEAST_SEARCH = {"economical": 8, "published": 20}
Samples = Annotated[int, Field(ge=1, le=10**5)]


class Digits(Entry):
    kind: Literal["digits"]
    pixel_noise: NonNegative = Field(
        0.0, description="standard deviation of fixed Gaussian noise, pixel units of [0, 1]"
    )
    seed: int = Field(0, ge=0, description="of that noise")


class Torchvision(Entry):
    kind: Literal["torchvision"]
    name: str = Field(description="class in torchvision.datasets")
    root: str = Field("data", description="folder of its files")
    download: bool = True


class Npz(Entry):
    kind: Literal["npz"]
    path: str = Field(description="a .npz file of numpy arrays")
    inputs: Annotated[list[str], NonEmpty, Distinct] = Field(["inputs"], description="arrays that are pooled")
    classes: Annotated[list[str], NonEmpty, Distinct] = Field(["classes"], description="as many, in the same order")
    layout: Literal["channels_first", "channels_last"] | None = Field(
        None, description="of images with channels; default: channels first, unless another axis may have them"
    )
    range: Annotated[list[Bounded], Field(min_length=2, max_length=2)] | None = Field(
        None,
        description="[least, greatest] value that is possible, mapped to 0 and 1; default: [0, 1], or [0, 255] for "
        "uint8 images that need all 8 bits",
    )


class Archived(Entry):
    """A data set of original files that are fetched once, or copied by hand, and checked by their SHA-256."""

    kind: Literal["mnist", "cifar10", "cifar100", "location", "adult"]
    path: str | None = Field(None, description="local copy: the original file or its folder; default: fetched")


class Unpublished(Archived):
    """The same where no SHA-256 is published: the configuration states it."""

    kind: Literal["purchase", "texas"]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = Field(
        None, description="of the archive, in hex; without it nothing is read, and the error tells what was found"
    )


Initialization = Annotated[
    Literal["torch", "glorot"],
    Field(description="of the weights: torch's own, or Glorot's uniform, as the paper's released code has it"),
]


class Mlp(Entry):
    kind: Literal["mlp"]
    initialization: Initialization = "torch"
    hidden: list[Count] = Field([128], description="tanh units of each hidden layer")


class Cnn(Entry):
    kind: Literal["cnn"]
    initialization: Initialization = "torch"
    channels: Annotated[list[Count], NonEmpty] = Field([32, 64], description="filters of each block")
    convolutions: Count = Field(2, description="per block")
    dense: Count = Field(512, description="units of the hidden layer")


class WideResNet(Entry):
    kind: Literal["wide_resnet"]
    norm: Literal["batch", "group"] = Field("batch", description="group: of 8 filters, for dp_sgd")
    depth: Annotated[int, Field(ge=10, le=10**4, multiple_of=2)] = Field(28, description="6 k + 4: 10, 16, 22, 28, ...")
    width: Count = Field(2, description="16, 32 and 64 times as many filters")


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
    angles: Literal["ends", "all"] = Field(
        "ends", description="ends: +r and -r, as the paper; all: 1 to r each way, as its released code"
    )
    interpolation: Literal["bilinear", "nearest"] = "bilinear"
    border: Literal["repeat", "reflect", "black"] = Field("repeat", description="what comes in at the edges")

    def cost(self):
        return 3 if self.angles == "ends" else 1 + 2 * round(max(self.degrees))


class Translation(Labelled):
    kind: Literal["translation"]
    pixels: Annotated[list[Count], NonEmpty, Distinct] = Field(description="d of all shifts with |i| + |j| = d")

    def cost(self):
        return 1 + 4 * max(self.pixels)


class Augmented(Labelled):
    kind: Literal["augmented"]
    pixels: Annotated[list[Pixels], NonEmpty, Distinct] = Field(description="d of random shifts by up to d each way")
    samples: Samples = Field(description="augmented copies per d")
    flips: bool = Field(True, description="half of them mirrored left to right")
    cutout: Pixels = Field(0, description="side of a grey square, in pixels; 0: none")

    def cost(self):
        return 1 + self.samples


class Gaussian(Labelled):
    kind: Literal["gaussian"]
    sigmas: Annotated[list[Positive], NonEmpty, Distinct] = Field(description="pixel units of [0, 1]")
    samples: Samples = Field(description="noisy copies per sigma")

    def cost(self):
        return 1 + self.samples


class Bernoulli(Labelled):
    kind: Literal["bernoulli"]
    flips: Annotated[list[Positive], NonEmpty, Distinct] = Field(description="expected flips per copy")
    samples: Samples = Field(description="copies per number of flips")

    def cost(self):
        return 1 + self.samples


class Mixed(Labelled):
    kind: Literal["mixed"]
    continuous: Count = Field(description="first features, which get Gaussian noise; all others are flipped")
    sigmas: Annotated[list[Positive], NonEmpty, Distinct] = Field(description="in units of the features' range [0, 1]")
    flips: Annotated[list[Positive], NonEmpty] = Field(description="expected flips per copy that go with each sigma")
    samples: Samples = Field(description="noisy copies per sigma")

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
    initial_probes: Annotated[int, Field(ge=2, le=10**5)] | None = Field(
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


class WhiteBox(Entry):
    kind: Literal["white_box"]
    steps: Annotated[int, Field(ge=2, le=10**5)] = Field(100, description="gradients per example; not label queries")

    def cost(self):
        """Gradients of the model per example, where other kinds count labels."""
        return self.steps


class Rule(Entry):
    """How answers are read. `budget` and `budgets` cut what was asked, so they cost no query."""

    reads: str = Field(description="a query set under `queries`")
    budget: Count | None = Field(None, description="most queries per example; default: all that were asked")
    budgets: Annotated[list[Count], Distinct, Rising] = Field(
        [], description="smaller budgets that are reported as well"
    )

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


class AdaptiveConfidence(Rule):
    """The attacker knows the mask: the shadow's confidences lie under it as well."""

    kind: Literal["adaptive_confidence"]


class Classifier(Rule):
    kind: Literal["classifier"]
    hidden: Annotated[list[Count], NonEmpty] = Field([10, 10], description="units of each layer")
    decays: Annotated[list[Positive], NonEmpty, Distinct] = Field(
        [1.0, 10.0, 100.0], description="L2 weight decays to choose from on the shadow"
    )
    folds: Annotated[int, Field(ge=2)] = Field(3, description="of the cross-validation on the shadow")
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0


class CustomRule(Custom, Rule):
    """A decision rule that is not part of lmia."""

    model_config = ConfigDict(extra="allow")


class Training(Strict):
    optimizer: Literal["adam", "sgd"] = Field("adam", description="sgd: with Nesterov momentum of 0.9")
    learning_rate: Positive = Field(1e-3, description="of the optimizer")
    weight_decay: NonNegative = Field(0.0, description="adam: apart from the loss; sgd: joins the gradient")
    batch_size: Count = 100
    min_delta: NonNegative = Field(0.005, description="least fall of the mean loss that counts as one")
    patience: Count = Field(20, description="epochs without one before training ends")
    max_epochs: Count = 1000
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="of forward and backward passes; weights and losses stay in float32"
    )


Block = Annotated[str, Field(pattern=r"^([0-9]{1,18}-[0-9]{1,18}|0|[1-9][0-9]{0,17})$")]  # 010 is 8 to others


class Outliers(Strict):
    fraction: Fraction = Field(0.01, description="of the evaluated points that are outliers, beta in the paper")
    neighbours: Count = Field(5, description="an outlier has fewer within the distance that gives that fraction")


class Study(Strict):
    """What is trained: one model of each kind of role for every n_train, defense and seed."""

    dataset: str
    n_train: Annotated[list[Count], NonEmpty, Distinct] = Field(description="members per model")
    n_nonmembers: Count | None = Field(None, description="non-members per model; default: as many as members")
    splits: Literal["disjoint", "halves"] = Field(
        "disjoint",
        description="disjoint: four blocks of n_train; halves: two, each role is trained on the other's non-members",
    )
    evaluated: Count | None = Field(
        None,
        description="at most so many members, and as many non-members, of each model are asked about; default: all",
    )
    model: str
    defenses: Annotated[list[str], NonEmpty, Distinct] = ["none"]
    seeds: Annotated[list[Block | Annotated[int, Field(strict=True, ge=0, lt=10**18)]], NonEmpty] = Field(
        description='blocks of seeds, each one job: "0-5" is six seeds, 6 is one'
    )
    shadows: Annotated[int, Field(ge=1, le=1000)] = Field(1, description="shadow models per seed")
    training: Training = Training()
    outliers: Outliers | None = Field(None, description="also measure attacks on outliers alone; default: no")
    attacks: Annotated[list[str], Distinct] | None = Field(None, description="default: all")


class Metrics(Strict):
    fprs: Annotated[list[Fraction], Distinct, Falling] = Field(
        [0.01, 0.001], description="false-positive rates at which the TPR is reported"
    )
    resamples: Annotated[int, Field(ge=100, le=10**6)] = Field(1000, description="bootstrap draws")


Percent = Annotated[float, Field(ge=0, le=100)]
Names = Annotated[list[Name], NonEmpty, Distinct]


class PaperCells(Strict):
    """The paper's numbers for one study, in %."""

    n_train: Count | None = Field(None, description="members per model in the paper, where not as in the study")
    test_accuracy: Percent | None = Field(None, description="of the target, %")
    accuracy: dict[Name, Percent] = Field({}, description="by attack, %")
    variants: dict[Name, Percent] = Field({}, description="attacks that could be meant as well: shown, and not counted")
    under: dict[Name, dict[Name, Percent]] = Field({}, description="by defense and attack, %")
    queries: dict[Name, Count] = Field({}, description="by attack, per point; a comparison says where ours asks others")
    not_run: str = Field("not in this configuration", description="why, where the study was taken out")


class Claim(Strict):
    """What the paper lets expect: `attack` is more accurate than `against`. Lists stand for one claim for each."""

    says: str
    study: str
    attacks: Names
    against: Annotated[list[Name], Distinct] = Field([], description='or ["chance"]; default: the same attack')
    n_train: Annotated[list[Count], NonEmpty, Distinct] | None = Field(None, description="default: all of the study")
    settings: Annotated[list[str], NonEmpty, Distinct] = Field([""], description="of `attacks`, as pixels=1")
    defense: str | None = Field(None, description="default: the first of the study")
    against_study: str | None = Field(None, description="default: the same")
    against_setting: str | None = Field(None, description="default: as it is meant to be run")
    against_n_train: Count | None = Field(None, description="default: the same")
    against_defense: str | None = Field(None, description="default: the same")
    at_least: float = Field(0.0, ge=-100, le=100, description="points by which it is more accurate")
    within: Percent | None = Field(None, description="instead: points by which they may differ")


class Exhibit(Strict):
    """A table or figure of the paper: `snakemake <name>` makes it, beside the paper's numbers and claims."""

    title: str
    paper: dict[Name, PaperCells] = Field({}, description="by study; one that was taken out is listed as not run")
    claims: list[Claim] = []
    figures: Annotated[list[str], Distinct] = []


class Config(Strict):
    base: str = Field("config.yaml", description="file that this one is laid over; none: this is all")
    save_every: NonNegative = Field(
        60.0, description="seconds of work that a killed job loses at most, about; no result depends on it"
    )
    device: Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:(0|[1-9][0-9]?))?)$")] = Field(
        "auto",
        description="that models run on; auto: a GPU where the job's machine has one, else the CPU; cuda: one that no "
        "other job has; cuda:N: this one, shared; nothing re-runs for another device",
    )
    cache: str | None = Field(
        None,
        min_length=1,
        description="folder of models and answers that studies, checkouts and users share; default: what LMIA_CACHE "
        "names, or none; no result depends on it",
    )
    datasets: dict[Name, one_of(Digits, Torchvision, Archived, Unpublished, Npz)]
    models: dict[Name, one_of(Mlp, Cnn, WideResNet)]
    defenses: dict[Name, one_of(*DEFENSES)] = {"none": NoDefense(kind="none")}
    studies: Annotated[dict[Name, Study], NonEmpty]
    queries: dict[
        Name,
        one_of(
            Original,
            Rotation,
            Translation,
            Augmented,
            Gaussian,
            Bernoulli,
            Mixed,
            HopSkipJump,
            ConfidenceVector,
            WhiteBox,
        ),
    ]
    attacks: dict[
        Name,
        one_of(Gap, Vote, Distance, MaxConfidence, TrueConfidence, AdaptiveConfidence, Classifier, custom=CustomRule),
    ]
    metrics: Metrics = Metrics()
    figures: dict[Name, one_of(*FIGURES, custom=None)] = {}
    exhibits: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Exhibit] = {}


if __name__ == "__main__":
    print(json.dumps(Config.model_json_schema(), indent=2))
