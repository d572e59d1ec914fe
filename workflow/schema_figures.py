"""Figures: each kind with its own options, with what it may show at once, and with what the report says below it."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from workflow.schema_base import Count, Distinct, Entry, NonEmpty

Attacks = Annotated[list[str], Distinct]
OVER_SEEDS = " Whiskers and bands are 95 % intervals over seeds."


class Figure(Entry):
    """A figure of a study.

    caption: what it shows, for the report; drawn_from: the results that its rule reads; all_at_once: the options
    without which it shows all models of a study, where others would have to say which.
    """

    study: str
    title: str = ""
    caption: ClassVar[str]
    drawn_from: ClassVar[Literal["metrics", "scores", "queries"]] = "metrics"
    all_at_once: ClassVar[tuple[str, ...]] = ()

    def all_studies(self):
        """Names of the studies that it shows."""
        return [self.study]

    def said(self):
        """The caption in the report."""
        return f"{self.caption[:1].upper()}{self.caption[1:]}, study {', '.join(self.all_studies())}."


class OfAttacks(Figure):
    attacks: Attacks | None = Field(None, description="default: all of the study")


class OfOneSize(OfAttacks):
    n_train: Count | None = Field(None, description="which models, in a study with several sizes")


class OfOneCell(OfOneSize):
    defense: str | None = Field(None, description="which models, in a study with several defenses")


class Bars(OfAttacks):
    kind: Literal["bars"]
    n_train: Count | None = Field(None, description="models of this size alone; default: all")
    defense: str | None = Field(None, description="models with this defense alone; default: all")
    defenses: Annotated[list[str], Distinct] = Field([], description="those to show, in order; default: all")
    caption = "accuracy of each attack on the target, thresholds chosen on the shadow"
    all_at_once = ("n_train", "defense")

    def said(self):
        return super().said() + OVER_SEEDS


class WithLines(OfOneCell):
    lines: Attacks = Field([], description="attacks drawn as level lines for comparison")

    def said(self):
        return super().said() + OVER_SEEDS


class Sweep(WithLines):
    kind: Literal["sweep"]
    caption = "accuracy against the magnitude of the perturbation"


class QueriesSpent(WithLines):
    kind: Literal["queries"]
    caption = "accuracy against queries per example"


class Sizes(OfAttacks):
    kind: Literal["sizes"]
    studies: Annotated[list[str], Distinct] = Field([], description="more studies, whose n_train join in")
    defense: str | None = Field(None, description="models with this defense alone; default: all")
    caption = "accuracy against the number of members per model"
    all_at_once = ("defense",)

    def all_studies(self):
        return [self.study, *self.studies]

    def said(self):
        return super().said() + OVER_SEEDS


class Roc(OfOneCell):
    kind: Literal["roc"]
    caption = "true-positive against false-positive rate, both logarithmic, mean over seeds"
    drawn_from = "scores"


class Histogram(OfOneCell):
    kind: Literal["histogram"]
    caption = "scores of members and of non-members, seeds pooled"
    drawn_from = "scores"


class Gallery(Figure):
    kind: Literal["gallery"]
    queries: Annotated[list[str], NonEmpty, Distinct] = Field(description="the query sets to show")
    examples: Annotated[int, Field(ge=1, le=8)] = Field(3, description="how many images")
    caption = "what the perturbed queries look like"
    drawn_from = "queries"


class Strengths(OfOneSize):
    kind: Literal["strengths"]
    family: str = Field(description="kind of the defenses along the axis; none stands at 0")
    axis: str = Field("", description="what it says below the axis; default: the family")
    scale: Literal["linear", "log"] = Field("linear", description="of the axis")
    settings: Annotated[list[str], NonEmpty, Distinct] = Field([""], description="of attacks, as pixels=1")
    caption = "accuracy against the strength of a defense"


class Tradeoff(OfOneSize):
    kind: Literal["tradeoff"]
    x: Literal["test_accuracy", "gap"] = Field("test_accuracy", description="gap: train - test accuracy")
    caption = "an attack's accuracy against what the models are worth, for all defenses"


class OnOutliers(OfOneSize):
    kind: Literal["outliers"]
    caption = "precision on outliers and on all points, for all defenses"


FIGURES = (Bars, Sweep, QueriesSpent, Sizes, Roc, Histogram, Gallery, Strengths, Tradeoff, OnOutliers)
