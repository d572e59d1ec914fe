"""Defenses: those that train otherwise, and those that mask confidences."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from workflow.config.schema.base import EXTRA, Count, Custom, Entry, Fraction, Name, Pixels, Positive

Tuned = Annotated[Literal["last", "all"], Field(description="layers that are trained")]


class Defense(Entry):
    """strength_in: the option that says how strong it is, None where there is none; weakens: whether it is weaker as
    that grows; needs_reference: whether it learns from points beside members and non-members; is_private: whether it
    bounds what any one example changes.
    """

    package = "defenses"
    target = "Defense"
    strength_in: ClassVar[str | None] = None
    weakens: ClassVar[bool] = False
    needs_reference: ClassVar[bool] = False
    is_private: ClassVar[bool] = False

    @property
    def masks_only(self):
        """Whether it changes confidences alone, and leaves models as they are."""
        return bool(self.stated("MASKS_ONLY"))

    def source_study(self):
        """Name of the study whose model training starts from, None for none."""
        return getattr(self, "source", None)

    def strength_value(self):
        """A number on the axis of its family, None where its kind has none."""
        return getattr(self, self.strength_in) if self.strength_in else None

    def rank(self):
        """A number that grows with the strength, 0 where there is none."""
        return (-1 if self.weakens else 1) * (self.strength_value() or 0)

    def family(self):
        """What it is called together with those that differ in their strength alone."""
        return self.kind

    def moves_images(self):
        """Whether it needs inputs with a height and a width."""
        return False


class CustomDefense(Custom, Defense):
    """A defense that is not part of lmia. Constants of its module say how figures order it: STRENGTH names the option
    that is its strength, and WEAKENS = True says that it is weaker as that grows.
    """

    model_config = EXTRA

    @property
    def strength_in(self):
        return self.stated("STRENGTH")

    @property
    def weakens(self):
        return bool(self.stated("WEAKENS"))


class NoDefense(Defense):
    kind: Literal["none"]


class Mask(Defense):
    """A defense of answers with confidences: models and labels are those of the defense under it."""

    over: Name = Field("none", description="defense that the models are trained with")


class MemGuard(Mask):
    kind: Literal["memguard"]
    margin: Fraction = Field(0.01, description="of the predicted class above an even split")


class TopK(Mask):
    kind: Literal["top_k"]
    k: Count = Field(1, description="confidences that are told")
    strength_in = "k"
    weakens = True


class Rounding(Mask):
    kind: Literal["rounding"]
    decimals: Annotated[int, Field(ge=0, le=7)] = Field(1, description="that are told")
    strength_in = "decimals"
    weakens = True


class Norm(Defense):
    kind: Literal["l1", "l2"]
    strength: Positive = Field(description="lambda, of the sum of absolute or of squared weights")
    layers: Literal["dense", "all"] = Field("dense", description="all: convolutions as well")
    strength_in = "strength"


class Dropout(Defense):
    kind: Literal["dropout"]
    rate: Fraction = Field(description="of the inputs of dense layers that are dropped")
    strength_in = "rate"


class WeightDecay(Defense):
    kind: Literal["weight_decay"]
    strength: Positive = Field(description="share of a weight that a step takes, per unit of the learning rate")
    strength_in = "strength"


class EarlyStopping(Defense):
    kind: Literal["early_stopping"]
    epochs: Count = Field(description="exactly so many")
    strength_in = "epochs"
    weakens = True


class LabelSmoothing(Defense):
    kind: Literal["label_smoothing"]
    amount: Fraction = Field(description="share of the target that goes to all classes evenly")
    strength_in = "amount"


class Mixup(Defense):
    kind: Literal["mixup"]
    alpha: Positive = Field(description="of the Beta distribution of the shares; 1 is uniform")
    strength_in = "alpha"


class Augmentation(Defense):
    kind: Literal["augmentation"]
    pixels: Pixels = Field(description="d, by which images are shifted")
    views: Literal["all", "random"] = Field("all", description="an epoch has all 4d + 1 shifts, or one at random")
    flips: bool = Field(False, description="mirror left to right half of the time")
    cutout: Pixels = Field(0, description="side of a grey square, in pixels; 0: none")
    strength_in = "pixels"

    def moves_images(self):
        return True

    def family(self):
        return "random augmentation" if self.views == "random" else self.kind


class AdversarialRegularization(Defense):
    kind: Literal["adversarial_regularization"]
    strength: Positive = Field(description="lambda, of the attack network's gain")
    epochs: Count = Field(description="exactly so many")
    steps: Count = Field(1, description="of the attack network for each of the classifier")
    attack_learning_rate: Positive = 1e-3
    strength_in = "strength"
    needs_reference = True


def _transferred(tune):
    return f"{tune} layer{'' if tune == 'last' else 's'} transferred"


class Transfer(Defense):
    kind: Literal["transfer"]
    source: Name = Field(description="study whose target (its first size, defense and seed) is the start")
    tune: Tuned = "last"

    def family(self):
        return _transferred(self.tune)


class DpSgd(Defense):
    kind: Literal["dp_sgd"]
    is_private = True
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

    @property
    def strength_in(self):
        return "noise" if self.epsilon is None else "epsilon"

    @property
    def weakens(self):
        return self.epsilon is not None

    def family(self):
        kind = f"{self.kind} by noise" if self.noise else self.kind  # not on one axis with epsilons
        return f"{kind}, {_transferred(self.tune)}" if self.source else kind

    def moves_images(self):
        return bool(self.pixels or self.flips)

    def mistakes(self):
        if (self.noise is None) == (self.epsilon is None):
            yield "noise", "give either noise or epsilon, which the noise is chosen for"


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
