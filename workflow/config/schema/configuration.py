"""The whole configuration: every key with its type, range, unit and default, and what its entries are to each other."""

from typing import Annotated, Any

from pydantic import Field

from lmia.attacks.observations import OBSERVATIONS
from workflow.config.schema.attacks import AnyRule
from workflow.config.schema.base import Distinct, Falling, Fraction, Name, NonEmpty, NonNegative, Strict
from workflow.config.schema.datasets import AnyDataset
from workflow.config.schema.defenses import AnyDefense, NoDefense
from workflow.config.schema.exhibits import Exhibit
from workflow.config.schema.figures import AnyFigure
from workflow.config.schema.models import AnyModel
from workflow.config.schema.queries import AnyQuery
from workflow.config.schema.studies import Study
from workflow.config.schema.targets import AnyTarget, Target, TorchTarget
from workflow.config.schema.trainers import Trainer

SECTIONS = (
    "datasets",
    "models",
    "trainers",
    "targets",
    "defenses",
    "queries",
    "attacks",
)  # those that plug-ins may be in


class Metrics(Strict):
    fprs: Annotated[list[Fraction], Distinct, Falling] = Field(
        [0.01, 0.001], description="false-positive rates at which the TPR is reported"
    )
    resamples: Annotated[int, Field(ge=100, le=10**6)] = Field(1000, description="bootstrap draws")


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
    datasets: dict[Name, AnyDataset]
    models: dict[Name, AnyModel]
    trainers: dict[Name, Trainer] = {}
    targets: dict[Name, AnyTarget] = {}
    defenses: dict[Name, AnyDefense] = {"none": NoDefense(kind="none")}
    studies: Annotated[dict[Name, Study], NonEmpty]
    queries: dict[Name, AnyQuery]
    attacks: dict[Name, AnyRule]
    metrics: Metrics = Metrics.model_validate({})
    figures: dict[Name, AnyFigure] = {}
    exhibits: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Exhibit] = {}

    def attacks_of(self, study: Study) -> list[str]:
        """Names of the attacks that run in a study: where it names none, all that can run in one of its kind."""
        if study.attacks is not None:
            return study.attacks
        names = [name for name, attack in self.attacks.items() if study.is_pool or not attack.calibrates]
        return [name for name in names if not self._refused(study, name)]

    def label_attacks_of(self, study: Study) -> list[str]:
        """Names of the attacks of a study that read labels alone."""
        return [
            name for name in self.attacks_of(study) if OBSERVATIONS[self.query_of(name).observation].access == "label"
        ]

    def most_sent(self, study: Study) -> float:
        """Inputs that a study sends to its given model at most: to look at it, and for all its query sets."""
        known = self.datasets[study.dataset].known()
        records, sent = 2 * min(study.evaluated or min(known), *known), float(sum(known))
        for name in {self.attacks[attack].reads for attack in self.attacks_of(study)}:
            query = self.queries[name]
            sent += records * query.cost_of_all() + getattr(query, "random_inputs", 0) * (query.cost() + 1)
        return sent

    def _refused(self, study: Study, attack: str) -> bool:
        """Whether what an attack of this name reads cannot be asked of a study's data set, or of its given model."""
        query, dataset = self.queries.get(self.attacks[attack].reads), self.datasets.get(study.dataset)
        if query is None or dataset is None:
            return False
        target = self.targets.get(study.model) if study.is_given else None
        if query.observation == "references" and not study.is_given:
            return True
        return query.refused_by(dataset) is not None or (target is not None and any(target.refusals(query)))

    def model_of(self, study: Study) -> AnyModel | Target | None:
        """What builds the model that a study asks, None where there is none of that name."""
        if not study.is_given:
            return self.models.get(study.model)
        target = self.targets.get(study.model)
        return self.models.get(target.model) if isinstance(target, TorchTarget) else target

    def gap_attack(self, study: Study) -> str | None:
        """Name of the study's gap attack, whose decisions tell where the model is right; None where it has none."""
        names = [name for name in self.attacks_of(study) if name in self.attacks]
        return next((name for name in names if self.attacks[name].is_baseline), None)

    def query_of(self, attack: str) -> AnyQuery:
        """The query set that an attack of this name reads."""
        return self.queries[self.attacks[attack].reads]

    def settings_of(self, attack: str) -> list[str]:
        """The settings that an attack is reported in, as metrics.csv names them: "" is as it is meant to be run."""
        budgets = [f"budget={budget}" for budget in self.attacks[attack].budgets]
        return ["", *budgets, *([] if self.attacks[attack].calibrates else self.query_of(attack).magnitudes())]

    def trained_with(self, defense: str) -> str:
        """Name of the defense whose models are asked under the defense of this name."""
        entry = self.defenses[defense]
        return getattr(entry, "over", "none") if entry.masks_only else defense

    def strengths(self, study: Study, family: str) -> dict[str, float | None]:
        """Defense -> number on the axis, for those of the study in one family.

        "none" joins them at 0 where that is no defense: not in families whose strength falls as their number grows.
        """
        entries = {name: self.defenses[name] for name in study.defenses}
        found = {name: entry for name, entry in entries.items() if entry.family() == family}
        from_zero = not any(entry.weakens() for entry in found.values())
        start = {name: 0.0 for name, entry in entries.items() if from_zero and entry.kind == "none"}
        return start | {name: entry.strength_value() for name, entry in found.items()}

    def families(self, study: Study) -> dict[str, list[Any]]:
        """Defense -> [family, what its strength reads, rank of that strength in its family from weak to strong]."""
        entries = {name: self.defenses[name] for name in study.defenses}
        found: dict[str, list[Any]] = {}
        for name, entry in entries.items():
            number = entry.strength_value()
            weaker = sum(other.family() == entry.family() and other.rank() < entry.rank() for other in entries.values())
            found[name] = [entry.family(), "" if number is None else f"{number:g}", weaker]
        return found
