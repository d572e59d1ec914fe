"""Attacks: how answers are turned into decisions."""

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from lmia.attacks.entries import WAYS
from workflow.config.plugin_source_reader import read_arguments
from workflow.config.schema.base import EXTRA, ByKind, Count, Custom, Distinct, Entry, NonEmpty, Positive, Rising

Even = Annotated[int, Field(ge=2, le=1000, multiple_of=2)]
Variance = Literal["each", "fixed", "shrunk", "student"]


class Rule(Entry):
    """How answers are read. `budget` and `budgets` cut what was asked, so they cost no query."""

    package = "attacks"
    target = "Attack"
    decides: ClassVar[bool] = False  # whether it needs no order, only the side of one threshold
    is_baseline: ClassVar[bool] = False  # the gap attack, to which others are compared
    needs_population: ClassVar[bool] = False  # whether it reads the answers about points beside those audited
    needs_references: ClassVar[bool] = False  # whether it reads how far the boundary of the attacker's own models is
    needs_relabelled: ClassVar[int] = 0  # how many models that were trained on labels of the target it reads at least
    needs_random_inputs: ClassVar[bool] = False  # whether its threshold comes from the target's random inputs
    compares: ClassVar[bool] = True  # whether answers of shadows to the same queries tell it something
    learns: ClassVar[bool] = True  # whether its scores need records whose membership is known
    needs_shadows: ClassVar[int] = 2  # of a pool: how many it judges an example by at least
    calibrates: ClassVar[bool] = False  # whether it judges each example by models with and without it, in pools alone

    reads: str = Field(description="a query set under `queries`")
    budget: Count | None = Field(None, description="most queries per example; default: all that were asked")
    budgets: Annotated[list[Count], Distinct, Rising] = Field(
        [], description="smaller budgets that are reported as well"
    )
    shadows: Annotated[list[Even], Distinct, Rising] = Field(
        [], description="of pools: smaller numbers of shadows per target that are reported as well, even"
    )

    @property
    def knows_masks(self) -> bool:
        """Whether the attacker's shadow answers under the target's mask."""
        return bool(self.stated("KNOWS_MASKS"))

    def options(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"kind", *WAYS})


class Gap(Rule):
    kind: Literal["gap"]
    is_baseline = True
    learns = False
    compares = False


class Vote(Rule):
    kind: Literal["vote"]
    with_input: bool = Field(True, description="whether the label of the unmodified input counts too")
    learns = False

    def mistakes(self) -> Iterable[tuple[str, str]]:
        if not self.with_input and 1 in (self.budget, *self.budgets):
            yield "with_input", "leaves no label of a budget of 1; raise that, or remove this"


class Kept(Rule):
    kind: Literal["kept"]
    learns = False
    compares = False


class Difficulty(Rule):
    kind: Literal["difficulty"]
    learns = False


class Distance(Rule):
    kind: Literal["distance"]
    threshold: Literal["shadows", "random_inputs"] = Field(
        "shadows", description="random_inputs: no shadow, but a quantile of the target's distances around random inputs"
    )
    quantile: float = Field(0.5, gt=0, lt=1, description="of those distances; 0.5 and 0.95 are usual")
    decides = True
    learns = False

    @property
    def needs_random_inputs(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.threshold == "random_inputs"


class CalibratedDistance(Rule):
    """Boundary distance beside that of shadows which have not seen the example: its query set has schedule: warm."""

    kind: Literal["calibrated_distance"]
    needs_references = True


class TransferAttack(Rule):
    kind: Literal["transfer"]
    needs_relabelled = 1
    learns = False
    compares = False


class DHAttack(Rule):
    kind: Literal["dhattack"]
    variance: Variance = Field(
        "shrunk", description="of an example's distance: its own, that of all, a mean of the two, with heavier tails"
    )
    published: bool = Field(False, description="as the authors' code scores, where many examples share a score")
    needs_relabelled = 2
    learns = False
    compares = False


class MaxConfidence(Rule):
    kind: Literal["max_confidence"]


class TrueConfidence(Rule):
    kind: Literal["true_confidence"]


class AdaptiveConfidence(Rule):
    """The attacker knows the mask: the shadow's confidences lie under it as well."""

    kind: Literal["adaptive_confidence"]


class Classifier(Rule):
    kind: Literal["classifier"]
    RENAMED = {"decays": "weight_decays"}
    hidden: Annotated[list[Count], NonEmpty] = Field([10, 10], description="units of each layer")
    weight_decays: Annotated[list[Positive], NonEmpty, Distinct] = Field(
        [1.0, 10.0, 100.0], description="L2 weight decays to choose from on the shadow"
    )
    folds: Annotated[int, Field(ge=2)] = Field(3, description="of the cross-validation on the shadow")
    seed: Annotated[int, Field(ge=0, lt=2**32, description="of the random numbers")] = 0


class Calibrated(Rule):
    """A rule for pools: it compares each example with itself under models that were, and were not, trained on it."""

    package = "calibration"
    target = "Calibration"
    calibrates = True

    def mistakes(self) -> Iterable[tuple[str, str]]:
        if self.shadows and self.shadows[0] < self.needs_shadows:  # shadows are even
            yield "shadows", "2 are too few for a variance; leave them out, or use kind difference"


class Lira(Calibrated):
    kind: Literal["lira"]
    needs_shadows = 4  # two with and two without each example, of which a variance can be told
    online: bool = Field(True, description="whether shadows that were trained on the example are used too")
    variance: Variance = Field(
        "shrunk", description="of an example's signal: its own, that of all, a mean of the two, with heavier tails"
    )


class Difference(Calibrated):
    kind: Literal["difference"]
    between: bool = Field(False, description="compare with the middle of the means with and without the example")


class Logistic(Calibrated):
    kind: Literal["logistic"]
    inverse_penalty: Annotated[float, Field(gt=0, le=100)] = Field(
        1.0, description="weight of the answers against the squared coefficients"
    )


class Rmia(Calibrated):
    """A reference that is not label-only; `population` of its query set says of how many points."""

    kind: Literal["rmia"]
    needs_population = True
    online: bool = Field(True, description="compare with all shadows, and not only with those without the example")
    a: Annotated[float, Field(ge=0, le=1)] = Field(0.3, description="offline: how sure shadows with the example are")
    gamma: Positive = Field(1.0, description="by how much the example's ratio must exceed a population point's")


class AttackP(Calibrated):
    """A reference that is not label-only; `population` of its query set says of how many points."""

    kind: Literal["attack_p"]
    needs_population = True


class AttackR(Calibrated):
    """A reference that is not label-only."""

    kind: Literal["attack_r"]
    needs_shadows = 4


class CustomRule(Custom, Rule):
    """A decision rule that is not part of lmia, or a calibration, where its module defines `Calibration`."""

    model_config = EXTRA

    @property
    def calibrates(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return read_arguments(self.module, "Calibration") is not None

    @property
    def target(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return "Calibration" if self.calibrates else "Attack"


AnyRule = Annotated[
    Gap
    | Vote
    | Kept
    | Difficulty
    | Distance
    | CalibratedDistance
    | TransferAttack
    | DHAttack
    | MaxConfidence
    | TrueConfidence
    | AdaptiveConfidence
    | Classifier
    | Lira
    | Difference
    | Logistic
    | Rmia
    | AttackP
    | AttackR
    | CustomRule,
    ByKind,
]
