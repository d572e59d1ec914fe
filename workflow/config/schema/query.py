"""What every query set is: what is asked of a model, what it costs, and what it yields."""

import math
from collections.abc import Iterable
from typing import Any, ClassVar, Literal

from pydantic import Field

from workflow.config.plugin_source_reader import read_attribute
from workflow.config.schema.base import EXTRA, Custom, Entry
from workflow.config.schema.datasets import Dataset


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

    def n_gradients(self, models: int) -> int:
        """How many gradients of other models than the target it takes at most about each example.

        models: of the pool, 0 where the study is none.
        """
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
