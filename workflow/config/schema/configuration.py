"""The whole configuration: every key with its type, range, unit and default, and what its entries are to each other."""

from functools import cached_property
from typing import Annotated, Any, NamedTuple

from pydantic import Field, field_validator

from lmia.attacks.observations import OBSERVATIONS
from lmia.splits import KINDS, MIN_KNOWN
from lmia.targets.ledger import ASKED_AGAIN
from workflow.config.schema.attacks import AnyRule
from workflow.config.schema.audits import Audit
from workflow.config.schema.base import Distinct, Entry, Falling, Fraction, Name, NonNegative, Strict
from workflow.config.schema.datasets import AnyDataset
from workflow.config.schema.defenses import AnyDefense, NoDefense
from workflow.config.schema.exhibits import Exhibit
from workflow.config.schema.figures import AnyFigure
from workflow.config.schema.models import AnyModel
from workflow.config.schema.queries import AnyQuery
from workflow.config.schema.studies import Study
from workflow.config.schema.targets import AnyTarget, HttpTarget, Shadow, Target, TorchTarget
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


NO_DEFENSE = NoDefense(kind="none")


class Metrics(Strict):
    fprs: Annotated[list[Fraction], Distinct, Falling] = Field(
        [0.01, 0.001], description="false-positive rates at which the TPR is reported"
    )
    resamples: Annotated[int, Field(ge=100, le=10**6)] = Field(1000, description="bootstrap draws")


class Sent(NamedTuple):
    """What for, to how many records, and inputs of each at most; where nobody counts these, infinitely many."""

    what: str
    records: int
    each: float

    @property
    def inputs(self) -> float:
        return self.records * self.each


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
    models: dict[Name, AnyModel] = {}
    trainers: dict[Name, Trainer] = {}
    targets: dict[Name, AnyTarget] = {}
    defenses: dict[Name, AnyDefense] = {"none": NO_DEFENSE}
    studies: dict[Name, Study] = Field({}, description="what is trained, and what audits are short for")
    audits: dict[Name, Audit] = Field({}, description="models that exist already, each short for a study")
    queries: dict[Name, AnyQuery] = Field(description="what models are sent; base: config/base/audit.yaml has some")
    attacks: dict[Name, AnyRule] = Field(description="how answers are read; base: config/base/audit.yaml has some")
    metrics: Metrics = Metrics.model_validate({})
    figures: dict[Name, AnyFigure] = {}
    exhibits: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Exhibit] = {}

    @field_validator("defenses")
    @classmethod
    def _with_none(cls, defenses: dict[str, Any]) -> dict[str, Any]:
        """Studies that name no defense have this one, whatever others there are."""
        return {"none": NO_DEFENSE} | defenses

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

    def most_sent(self, study: Study) -> list[Sent]:
        """What a study asks its given model at most: each record once as it is, and what query sets make of it."""
        dataset = self.datasets[study.dataset]
        kinds, in_question = self.known_kinds(study), min(study.in_question or 0, dataset.unknown())
        each = [n for kind, n in zip(KINDS, dataset.known(), strict=True) if kind in kinds]
        parts = [("known records", sum(each)), ("records in question", in_question)]
        first, *rest = [Sent(what, n, 1) for what, n in parts if n]
        sent = [first]
        if isinstance(self.targets[study.model], HttpTarget):
            sent.append(Sent("some of them, asked again", min(first.records, ASKED_AGAIN), 1))
        sent += rest
        records = in_question + sum(min(study.evaluated or n, *each) for n in each)
        for name in dict.fromkeys(self.attacks[attack].reads for attack in self.attacks_of(study)):
            query = self.queries[name]
            if copies := query.cost_of_all() - 1:  # the unmodified record is paid for once, whoever asks about it
                sent.append(Sent(f"queries.{name}", records, copies))
            if inputs := getattr(query, "random_inputs", 0):
                sent.append(Sent(f"queries.{name}, random inputs", inputs, query.cost() + 1))
        return sent

    def studies_of(self, target: str) -> dict[str, Study]:
        """The studies of the given model of this name."""
        return {name: study for name, study in self.studies.items() if study.is_given and study.model == target}

    def known_kinds(self, study: Study) -> list[str]:
        """Of which of `lmia.splits.KINDS` a study of a given model takes known records: of all, unless some are in
        question. Then there may be too few members, and others are compared with alone, or too few of both.
        """
        if not study.is_given or study.in_question is None or study.dataset not in self._known:
            return list(KINDS)
        members, others = self._known[study.dataset]
        return [] if max(members, others) < MIN_KNOWN else list(KINDS[1:] if members < MIN_KNOWN else KINDS)

    def is_without_members(self, study: Study) -> bool:
        """Whether a study is of records in question alone, as too few members are known."""
        return self.known_kinds(study) != [*KINDS]

    def is_without_known(self, study: Study) -> bool:
        """Whether it has no known others to compare them with either."""
        return not self.known_kinds(study)

    @cached_property
    def _known(self) -> dict[str, tuple[int, int]]:
        """Data set -> (members, non-members), of those with records in question: once, as it reads their files."""
        names = {study.dataset for study in self.studies.values() if study.in_question is not None}
        return {name: self.datasets[name].known() for name in sorted(names & self.datasets.keys())}

    def cannot_rank(self, study: Study, attack: str) -> str | None:
        """Why an attack of this name says nothing without members; None where it does, or where there are some."""
        if not self.is_without_members(study):
            return None
        if self.is_without_known(study) and not self.attacks[attack].needs_random_inputs:
            return (
                "is nothing without known records, of which there are too few; a distance attack with threshold: "
                "random_inputs decides alone"
            )
        if OBSERVATIONS[self.query_of(attack).observation].access != "label":
            return "reads more than labels, and what is compared without known members is labels alone"
        return "learns from records in training, of which too few are known" if self.attacks[attack].learns else None

    def _refused(self, study: Study, attack: str) -> bool:
        """Whether what an attack of this name reads cannot be asked of a study's data set, or of its given model."""
        query, dataset = self.queries.get(self.attacks[attack].reads), self.datasets.get(study.dataset)
        if query is None:
            return False
        target = self.targets.get(study.model) if study.is_given else None
        of_pools = query.crafted_from or query.n_relabelled()
        if (query.observation == "references" and not study.is_given) or (of_pools and not study.is_pool):
            return True
        if query.n_references() and study.splits != "disjoint":
            return True
        if self.cannot_rank(study, attack) or self.beyond_shadows(study, attack):
            return True
        of_data = dataset is not None and query.refused_by(dataset) is not None
        return of_data or (target is not None and any(target.refusals(query)))

    def model_of(self, study: Study) -> AnyModel | Target | None:
        """What builds the model that a study asks, None where there is none of that name."""
        if not study.is_given:
            return self.models.get(study.model)
        target = self.targets.get(study.model)
        return self.models.get(target.model) if isinstance(target, TorchTarget) else target

    def shadow_of(self, study: Study) -> AnyModel | Entry | None:
        """What builds the shadows of a given model, None where there is none of that name."""
        target = self.targets.get(study.model)
        if target is None:
            return None
        return target.shadow(self.trainers.get(target.trainer or "")) or self.model_of(study)

    def beyond_shadows(self, study: Study, attack: str) -> str | None:
        """Why the shadows of a given model do not tell what an attack reads; None where they do, or there are none."""
        if not study.is_given or not study.n_shadows or not isinstance(self.shadow_of(study), Shadow):
            return None
        query = self.query_of(attack)
        if OBSERVATIONS[query.observation].access != "label":
            return "reads more than labels, and shadows that a trainer makes may give these alone"
        is_rounded = query.options().get("precision") == "bfloat16"
        return "rounds a network, and shadows that a trainer makes may be none" if is_rounded else None

    def gap_attack(self, study: Study) -> str | None:
        """Name of the study's gap attack, whose decisions tell where the model is right; None where it has none."""
        names = [name for name in self.attacks_of(study) if name in self.attacks]
        return next((name for name in names if self.attacks[name].is_baseline), None)

    def query_of(self, attack: str) -> AnyQuery:
        """The query set that an attack of this name reads."""
        return self.queries[self.attacks[attack].reads]

    def query_sets_of(self, study: Study) -> list[str]:
        """Names of the query sets that the attacks of a study read, sorted, without those that nobody defined."""
        read = {self.attacks[name].reads for name in self.attacks_of(study) if name in self.attacks}
        return sorted(read & self.queries.keys())

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
