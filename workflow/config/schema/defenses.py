"""Defenses: those that train otherwise, and those that mask confidences."""

from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from workflow.config.schema.base import (
    EXTRA,
    MAX_NUMBER,
    ByKind,
    Count,
    Custom,
    Entry,
    Fraction,
    Name,
    NonNegative,
    Pixels,
    Positive,
)

Tuned = Annotated[Literal["last", "all"], Field(description="layers that are trained")]


class Defense(Entry):
    """STRENGTH: the option that says how strong it is, None where there is none; WEAKENS: whether it is weaker as that
    grows; needs_reference: whether it learns from points beside members and non-members; is_private: whether it bounds
    what any one example changes.
    """

    package = "defenses"
    target = "Defense"
    STRENGTH: ClassVar[str | None] = None
    WEAKENS: ClassVar[bool] = False
    needs_reference: ClassVar[bool] = False
    is_private: ClassVar[bool] = False

    @property
    def masks_only(self) -> bool:
        """Whether it changes confidences alone, and leaves models as they are."""
        return bool(self.stated("MASKS_ONLY"))

    def source_study(self) -> str | None:
        """Name of the study whose model training starts from, None for none."""
        return getattr(self, "source", None)

    def strength_in(self) -> str | None:
        """The option that says how strong it is, None where there is none."""
        return self.STRENGTH

    def weakens(self) -> bool:
        """Whether it is weaker as that option grows."""
        return self.WEAKENS

    def strength_value(self) -> float | None:
        """A number on the axis of its family, None where its kind has none."""
        option = self.strength_in()
        return getattr(self, option) if option else None

    def rank(self) -> float:
        """A number that grows with the strength, 0 where there is none."""
        return (-1 if self.weakens() else 1) * (self.strength_value() or 0)

    def family(self) -> str:
        """What it is called together with those that differ in their strength alone."""
        return self.kind

    def moves_images(self) -> bool:
        """Whether it needs inputs with a height and a width."""
        return False


class CustomDefense(Custom, Defense):
    """A defense that is not part of lmia. Constants of its module say how figures order it: STRENGTH names the option
    that is its strength, and WEAKENS = True says that it is weaker as that grows.
    """

    model_config = EXTRA

    def strength_in(self) -> str | None:
        return self.stated("STRENGTH")

    def weakens(self) -> bool:
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
    STRENGTH = "k"
    WEAKENS = True


class Rounding(Mask):
    kind: Literal["rounding"]
    decimals: Annotated[int, Field(ge=0, le=7)] = Field(1, description="that are told")
    STRENGTH = "decimals"
    WEAKENS = True


class Norm(Defense):
    kind: Literal["l1", "l2"]
    strength: Positive = Field(description="lambda, of the sum of absolute or of squared weights")
    layers: Literal["dense", "all"] = Field("dense", description="all: convolutions as well")
    STRENGTH = "strength"


class Dropout(Defense):
    kind: Literal["dropout"]
    rate: Fraction = Field(description="of the inputs of dense layers that are dropped")
    STRENGTH = "rate"


class WeightDecay(Defense):
    kind: Literal["weight_decay"]
    strength: Positive = Field(description="share of a weight that a step takes, per unit of the learning rate")
    STRENGTH = "strength"


class EarlyStopping(Defense):
    kind: Literal["early_stopping"]
    epochs: Count = Field(description="exactly so many")
    STRENGTH = "epochs"
    WEAKENS = True


class LabelSmoothing(Defense):
    kind: Literal["label_smoothing"]
    amount: Fraction = Field(description="share of the target that goes to all classes evenly")
    STRENGTH = "amount"


class Hamp(Defense):
    kind: Literal["hamp"]
    entropy: Fraction = Field(description="gamma: of soft labels, as a share of the largest there is")
    strength: NonNegative = Field(description="alpha: of the entropy of predictions, which training rewards")
    masks: bool = Field(True, description="confidences tell the order of the classes and no more")
    STRENGTH = "entropy"


class Ldl(Defense):
    kind: Literal["ldl"]
    sigma: Positive = Field(description="of the noise around what is asked, in units of the range of inputs")
    copies: Annotated[int, Field(ge=1, le=1000)] = Field(
        25, description="noisy copies that vote; each query costs so many"
    )
    STRENGTH = "sigma"


class Mixup(Defense):
    kind: Literal["mixup"]
    # Below, both of the float32 Gammas that a share is made of are often 0, and the share one half.
    alpha: Annotated[float, Field(ge=0.05, le=MAX_NUMBER)] = Field(
        description="of the Beta distribution of the shares; 1 is uniform"
    )
    STRENGTH = "alpha"


class Augmentation(Defense):
    kind: Literal["augmentation"]
    pixels: Pixels = Field(description="d, by which images are shifted")
    views: Literal["all", "random"] = Field("all", description="an epoch has all 4d + 1 shifts, or one at random")
    flips: bool = Field(False, description="mirror left to right half of the time")
    cutout: Pixels = Field(0, description="side of a grey square, in pixels; 0: none")
    STRENGTH = "pixels"

    def moves_images(self) -> bool:
        return True

    def family(self) -> str:
        return "random augmentation" if self.views == "random" else self.kind


class AdversarialRegularization(Defense):
    kind: Literal["adversarial_regularization"]
    strength: Positive = Field(description="lambda, of the attack network's gain")
    epochs: Count = Field(description="exactly so many")
    steps: Count = Field(1, description="of the attack network for each of the classifier")
    attack_learning_rate: Positive = Field(1e-3, description="of the attack network")
    STRENGTH = "strength"
    needs_reference = True


def _transferred(tune: str) -> str:
    return f"{tune} layer{'' if tune == 'last' else 's'} transferred"


class Transfer(Defense):
    kind: Literal["transfer"]
    source: Name = Field(description="study whose target (its first size, defense and seed) is the start")
    tune: Tuned = "last"

    def family(self) -> str:
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

    def strength_in(self) -> str | None:
        return "noise" if self.epsilon is None else "epsilon"

    def weakens(self) -> bool:
        return self.epsilon is not None

    def family(self) -> str:
        kind = f"{self.kind} by noise" if self.noise else self.kind  # not on one axis with epsilons
        return f"{kind}, {_transferred(self.tune)}" if self.source else kind

    def moves_images(self) -> bool:
        return bool(self.pixels or self.flips)

    def mistakes(self) -> Iterable[tuple[str, str]]:
        if (self.noise is None) == (self.epsilon is None):
            yield "noise", "give either noise or epsilon, which the noise is chosen for"


AnyDefense = Annotated[
    NoDefense
    | MemGuard
    | TopK
    | Rounding
    | Norm
    | Dropout
    | WeightDecay
    | EarlyStopping
    | LabelSmoothing
    | Hamp
    | Ldl
    | Mixup
    | Augmentation
    | AdversarialRegularization
    | Transfer
    | DpSgd
    | CustomDefense,
    ByKind,
]
