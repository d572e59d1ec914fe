"""Attacks: how answers are turned into decisions."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from workflow.config.schema.base import EXTRA, ByKind, Count, Custom, Distinct, Entry, NonEmpty, Positive, Rising


class Rule(Entry):
    """How answers are read. `budget` and `budgets` cut what was asked, so they cost no query."""

    package = "attacks"
    target = "Attack"
    decides: ClassVar[bool] = False  # whether it needs no order, only the side of one threshold
    is_baseline: ClassVar[bool] = False  # the gap attack, to which others are compared

    reads: str = Field(description="a query set under `queries`")
    budget: Count | None = Field(None, description="most queries per example; default: all that were asked")
    budgets: Annotated[list[Count], Distinct, Rising] = Field(
        [], description="smaller budgets that are reported as well"
    )

    @property
    def knows_masks(self) -> bool:
        """Whether the attacker's shadow answers under the target's mask."""
        return bool(self.stated("KNOWS_MASKS"))

    def options(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"kind", "reads", "budget", "budgets"})


class Gap(Rule):
    kind: Literal["gap"]
    is_baseline = True


class Vote(Rule):
    kind: Literal["vote"]


class Distance(Rule):
    kind: Literal["distance"]
    decides = True


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


class CustomRule(Custom, Rule):
    """A decision rule that is not part of lmia."""

    model_config = EXTRA


AnyRule = Annotated[
    Gap | Vote | Distance | MaxConfidence | TrueConfidence | AdaptiveConfidence | Classifier | CustomRule, ByKind
]
