"""The defenses of the configuration: those that train otherwise, and those that mask confidences."""

from typing import Annotated, Literal

from pydantic import Field

from workflow.schema_base import Count, Entry, Fraction, Name, Pixels, Positive

Tuned = Annotated[Literal["last", "all"], Field(description="layers that are trained")]


class NoDefense(Entry):
    kind: Literal["none"]


class Mask(Entry):
    """A defense of answers with confidences: models and labels are those of the defense under it."""

    over: Name = Field("none", description="defense that the models are trained with")


class MemGuard(Mask):
    kind: Literal["memguard"]
    margin: Fraction = Field(0.01, description="of the predicted class above an even split")


class TopK(Mask):
    kind: Literal["top_k"]
    k: Count = Field(1, description="confidences that are told")


class Rounding(Mask):
    kind: Literal["rounding"]
    decimals: Annotated[int, Field(ge=0, le=7)] = Field(1, description="that are told")


class Norm(Entry):
    kind: Literal["l1", "l2"]
    strength: Positive = Field(description="lambda, of the sum of absolute or of squared weights")
    layers: Literal["dense", "all"] = Field("dense", description="all: convolutions as well")


class Dropout(Entry):
    kind: Literal["dropout"]
    rate: Fraction = Field(description="of the inputs of dense layers that are dropped")


class WeightDecay(Entry):
    kind: Literal["weight_decay"]
    strength: Positive = Field(description="share of a weight that a step takes, per unit of the learning rate")


class EarlyStopping(Entry):
    kind: Literal["early_stopping"]
    epochs: Count = Field(description="exactly so many")


class LabelSmoothing(Entry):
    kind: Literal["label_smoothing"]
    amount: Fraction = Field(description="share of the target that goes to all classes evenly")


class Mixup(Entry):
    kind: Literal["mixup"]
    alpha: Positive = Field(description="of the Beta distribution of the shares; 1 is uniform")


class Augmentation(Entry):
    kind: Literal["augmentation"]
    pixels: Pixels = Field(description="d, by which images are shifted")
    views: Literal["all", "random"] = Field("all", description="an epoch has all 4d + 1 shifts, or one at random")
    flips: bool = Field(False, description="mirror left to right half of the time")
    cutout: Pixels = Field(0, description="side of a grey square, in pixels; 0: none")


class AdversarialRegularization(Entry):
    kind: Literal["adversarial_regularization"]
    strength: Positive = Field(description="lambda, of the attack network's gain")
    epochs: Count = Field(description="exactly so many")
    steps: Count = Field(1, description="of the attack network for each of the classifier")
    attack_learning_rate: Positive = 1e-3


class Transfer(Entry):
    kind: Literal["transfer"]
    source: Name = Field(description="study whose target (its first size, defense and seed) is the start")
    tune: Tuned = "last"


class DpSgd(Entry):
    kind: Literal["dp_sgd"]
    epochs: Count = Field(description="exactly so many")
    clip: Positive = Field(2.0, description="L2 bound on an example's gradient")
    noise: Positive | None = Field(None, description="standard deviation per clip; or give epsilon")
    epsilon: Positive | None = Field(None, description="guarantee that the noise is chosen for; or give noise")
    delta: Fraction | None = Field(None, description="of the guarantee; default: 1 / members")
    learning_rate: Positive = Field(1e-4, description="of Adam, instead of the study's")
    batch_size: Count = Field(100, description="in the mean, instead of the study's")
    views: Count = Field(1, description="random views of an example whose mean gradient is clipped")
    pixels: Pixels = Field(0, description="by which each view is shifted, each way")
    flips: bool = Field(False, description="mirror each view left to right half of the time")
    average: Annotated[float, Field(ge=0, lt=1)] = Field(0.0, description="decay of the mean of the weights; 0: none")
    source: Name | None = Field(None, description="as for transfer; default: none")
    tune: Tuned = "all"


DEFENSES = (
    NoDefense,
    MemGuard,
    TopK,
    Rounding,
    Norm,
    Dropout,
    WeightDecay,
    EarlyStopping,
    LabelSmoothing,
    Mixup,
    Augmentation,
    AdversarialRegularization,
    Transfer,
    DpSgd,
)
