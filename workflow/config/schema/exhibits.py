"""Exhibits: tables and figures of the paper, with its numbers and what it claims."""

from typing import Annotated

from pydantic import Field

from workflow.config.schema.base import Count, Distinct, Name, NonEmpty, Strict

Percent = Annotated[float, Field(ge=0, le=100)]
Points = Annotated[float, Field(ge=-100, le=100)]
Names = Annotated[list[Name], NonEmpty, Distinct]


class PaperNumbers(Strict):
    """The paper's numbers for one study, in %."""

    n_train: Count | None = Field(None, description="members per model in the paper, where not as in the study")
    test_accuracy: Percent | None = Field(None, description="of the target, %")
    accuracy: dict[Name, Percent] = Field({}, description="by attack, %")
    variants: dict[Name, Percent] = Field({}, description="attacks that could be meant as well: shown, and not counted")
    under: dict[Name, dict[Name, Percent]] = Field({}, description="by defense and attack, %")
    queries: dict[Name, Count] = Field({}, description="by attack, per point; a comparison says where ours asks others")
    not_run: str = Field("not in this configuration", description="why, where the study was taken out")


class Claim(Strict):
    """What the paper lets expect: `attacks` are above `against` by a metric. Lists stand for one claim for each."""

    says: str = Field(description="the claim in words")
    study: str = Field(description="an entry under `studies`")
    attacks: Names = Field(description="entries under `attacks`")
    against: Annotated[list[Name], Distinct] = Field([], description='or ["chance"]; default: the same attack')
    n_train: Annotated[list[Count], NonEmpty, Distinct] | None = Field(None, description="default: all of the study")
    settings: Annotated[list[str], NonEmpty, Distinct] = Field([""], description="of `attacks`, as pixels=1")
    metric: Names = Field(["accuracy"], description="accuracy, auc, or tpr_at_F_fpr for a rate F, as tpr_at_0.1_fpr")
    defense: str | None = Field(None, description="default: the first of the study")
    against_study: str | None = Field(None, description="default: the same")
    against_setting: str | None = Field(None, description="default: as it is meant to be run")
    against_n_train: Count | None = Field(None, description="default: the same")
    against_defense: str | None = Field(None, description="default: the same")
    at_least: Points = Field(0.0, description="points by which it is above the other")
    within: Percent | None = Field(None, description="instead: points by which they may differ")
    between: Annotated[list[Points], Field(min_length=2, max_length=2)] | None = Field(
        None, description="instead: the fewest and the most points by which it is above the other"
    )

    def bounds(self) -> tuple[float, float | None]:
        """Within which the difference must lie, in points; no upper one where being above is enough."""
        if self.between is not None:
            return self.between[0], self.between[1]
        return (self.at_least, None) if self.within is None else (-self.within, self.within)


class Exhibit(Strict):
    """A table or figure of the paper: `snakemake <name>` makes it, beside the paper's numbers and claims."""

    title: str = Field(description="heading")
    paper: dict[Name, PaperNumbers] = Field({}, description="by study; one that was taken out is listed as not run")
    claims: list[Claim] = Field([], description="what the table or figure must show")
    figures: Annotated[list[str], Distinct] = Field([], description="entries under `figures` that belong to it")
