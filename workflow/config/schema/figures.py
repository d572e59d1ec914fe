"""Figures: each kind with its own options, what it is drawn from, what the report says below it, and what it needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from workflow.config.messages import EMPTY, suggest, unknown
from workflow.config.schema.base import ByKind, Count, Distinct, Entry, NonEmpty

if TYPE_CHECKING:
    from workflow.config.schema.attacks import Rule
    from workflow.config.schema.configuration import Config
    from workflow.config.schema.studies import Study

Attacks = Annotated[list[str], Distinct]


class Figure(Entry):
    """A figure of a study.

    caption: what it shows, for the report; drawn_from: the results that its rule reads; all_at_once: the options
    without which it shows all models of a study, where others would have to say which.
    """

    package = "figures"
    study: str = Field(description="an entry under `studies`")
    title: str = Field("", description="heading")
    caption: ClassVar[str]
    drawn_from: ClassVar[Literal["metrics", "scores", "queries"]] = "metrics"
    all_at_once: ClassVar[tuple[str, ...]] = ()

    def all_studies(self) -> list[str]:
        """Names of the studies that it shows."""
        return [self.study]

    def said(self) -> str:
        """The caption in the report."""
        return f"{self.caption[:1].upper()}{self.caption[1:]}, study {', '.join(self.all_studies())}."

    def params(self, config: Config) -> dict[str, Any]:
        """What its module gets: its options as plain values, and what it needs to know of other entries.

        pools: those of its studies that are pools, where there are any.
        """
        pools = [name for name in self.all_studies() if config.studies[name].splits == "pool"]
        return self.model_dump(mode="json") | ({"pools": pools} if pools else {})

    def mistakes_in(self, config: Config) -> Iterable[str]:
        """Lines "option: value: what is wrong" on what a sound configuration has; its study is among those."""
        for option in self.texts():
            yield from self._mistakes_in_text(option)
        yield from self._mistakes_in_models(config.studies[self.study])

    def texts(self) -> tuple[str, ...]:
        """Options that are free texts: TeX in them must be some. Units of plug-ins are drawn as they are."""
        return ("title",)

    def drawn(self, text: str) -> str:
        """A free text as it is drawn."""
        from lmia.figures import style

        return style.wrapped(text)

    def _mistakes_in_text(self, option: str) -> Iterable[str]:
        text = getattr(self, option)
        if "$" not in text:  # or each plan would wait for matplotlib
            return
        from lmia.figures import style

        if fault := style.tex_fault(self.drawn(text)):
            yield f"{option}: {text}: what stands between two $ is no TeX ({fault}); write a dollar as \\$"

    def _mistakes_in_models(self, study: Study) -> Iterable[str]:
        """Figures of single models must say which, where a study has several."""
        for option, offered in (("n_train", study.n_train), ("defense", study.defenses)):
            if option not in type(self).model_fields:
                continue
            chosen, names = getattr(self, option), ", ".join(map(str, offered))
            if chosen is not None and chosen not in offered:
                yield f"{option}: {chosen}: {self.study} has only {names}; choose one of these"
            elif chosen is None and len(offered) > 1 and option not in self.all_at_once:
                yield f"{option}: missing; {self.study} has {names}: choose one of these"


class OfAttacks(Figure):
    attacks: Attacks | None = Field(None, description="default: all of the study")

    def shown(self, config: Config) -> list[str]:
        """Names of its attacks."""
        return self.attacks or config.attacks_of(config.studies[self.study])

    def params(self, config: Config) -> dict[str, Any]:
        return super().params(config) | {"attacks": self.shown(config)}

    def mistakes_in(self, config: Config) -> Iterable[str]:
        yield from super().mistakes_in(config)
        offered = config.attacks_of(config.studies[self.study])
        for option in ("attacks", "lines"):
            for attack in getattr(self, option, None) or []:
                if attack not in offered:
                    yield unknown(option, attack, offered, f"the attacks of {self.study}")
        for attack in [attack for attack in self.shown(config) if attack in offered]:
            yield from self.mistakes_of(config.attacks[attack], attack, config)

    def mistakes_of(self, attack: Rule, name: str, config: Config) -> Iterable[str]:
        """Lines where one of its attacks has not what the figure shows."""
        reads = config.queries[attack.reads]
        if self.drawn_from == "scores" and reads.stops_early():
            yield f"attacks: {name}: reads searches that stop early, so its scores have no order; leave it out"


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

    def mistakes_in(self, config: Config) -> Iterable[str]:
        yield from super().mistakes_in(config)
        if self.defenses and self.defense is not None:
            yield f"defenses: {', '.join(self.defenses)}: there is a `defense` beside them; remove one of the two"
        for defense in self.defenses:
            if defense not in (offered := config.studies[self.study].defenses):
                yield unknown("defenses", defense, offered, f"the defenses of {self.study}")


class WithLines(OfOneCell):
    lines: Attacks = Field([], description="attacks drawn as level lines for comparison")


class Sweep(WithLines):
    kind: Literal["sweep"]
    caption = "accuracy against the magnitude of the perturbation"

    def params(self, config: Config) -> dict[str, Any]:
        """axes: unit of the magnitudes -> what the axis says, where that is more than the unit."""
        queries = [config.queries[config.attacks[name].reads] for name in self.shown(config)]
        return super().params(config) | {"axes": {query.unit(): query.axis for query in queries if query.axis}}

    def mistakes_of(self, attack: Rule, name: str, config: Config) -> Iterable[str]:
        if not config.queries[attack.reads].has_magnitudes():
            yield f"attacks: {name}: reads {attack.reads}, without magnitudes to sweep; name others"


class OfMetric(OfAttacks):
    """A figure of one metric, which its axis names."""

    metric: str = Field(
        "accuracy", description="accuracy, auc, or tpr_at_F_fpr for one of metrics.fprs: on a logarithmic axis"
    )

    def mistakes_in(self, config: Config) -> Iterable[str]:
        yield from super().mistakes_in(config)
        offered = ["accuracy", "auc", *(f"tpr_at_{fpr:g}_fpr" for fpr in config.metrics.fprs)]
        if self.metric not in offered:
            yield (
                f"metric: {self.metric or EMPTY}: expected one of: {', '.join(offered)}; choose one of these, or add "
                "the rate F of tpr_at_F_fpr to metrics.fprs"
            )
            return
        for name in [name for name in (*self.shown(config), *getattr(self, "lines", ())) if name in config.attacks]:
            if self.metric != "accuracy" and config.query_of(name).stops_early():
                yield (
                    f"metric: {self.metric}: {name} reads searches that stop early, so its scores have no order; "
                    "leave it out, or show accuracy"
                )


class QueriesSpent(OfMetric, WithLines):
    kind: Literal["queries"]
    caption = "attacks against queries per example"


class Shadows(OfMetric, WithLines):
    kind: Literal["shadows"]
    attacks: Attacks | None = Field(None, description="default: those of the study with an option shadows")
    caption = "calibrated attacks against the number of shadow models per target"

    def shown(self, config: Config) -> list[str]:
        every = super().shown(config)
        return self.attacks or [name for name in every if _fewer_shadows(config.attacks.get(name))]

    def params(self, config: Config) -> dict[str, Any]:
        """all_shadows: how many a target has, all models of the pool but itself and its partner."""
        return super().params(config) | {"all_shadows": len(config.studies[self.study].models()) - 2}

    def mistakes_in(self, config: Config) -> Iterable[str]:
        if config.studies[self.study].splits != "pool":
            yield f"study: {self.study}: has a fixed number of shadows; choose one with splits: pool"
            return
        yield from super().mistakes_in(config)
        if not self.shown(config):
            yield f"attacks: missing; no attack of {self.study} has fewer shadows; give one shadows: [4, 8]"

    def mistakes_of(self, attack: Rule, name: str, config: Config) -> Iterable[str]:
        yield from super().mistakes_of(attack, name, config)
        if not _fewer_shadows(attack):
            yield f"attacks: {name}: is reported with one number of shadows; give it shadows: [4, 8], or leave it out"


def _fewer_shadows(attack: Rule | None) -> list[int]:
    """The numbers of shadows that an attack is reported with besides all of them."""
    return getattr(attack, "shadows", [])


class Sizes(OfAttacks):
    kind: Literal["sizes"]
    studies: Annotated[list[str], Distinct] = Field([], description="more studies, whose n_train join in")
    defense: str | None = Field(None, description="models with this defense alone; default: all")
    caption = "accuracy against the number of members per model"
    all_at_once = ("defense",)

    def all_studies(self) -> list[str]:
        return [self.study, *self.studies]

    def mistakes_in(self, config: Config) -> Iterable[str]:
        yield from super().mistakes_in(config)
        first = config.studies[self.study]
        seen = set(first.n_train)
        for name in self.studies:
            if name not in config.studies:
                yield unknown("studies", name, config.studies, "studies")
                continue
            study = config.studies[name]
            if (study.dataset, study.model) != (first.dataset, first.model):
                yield f"studies: {name}: another data set or model than {self.study}; one curve is of one"
            if both := seen & set(study.n_train):
                yield f"studies: {name}: n_train {min(both)} is in another of these studies too; name it once"
            seen |= set(study.n_train)


class Roc(OfOneCell):
    kind: Literal["roc"]
    caption = "true-positive against false-positive rate, both logarithmic"
    drawn_from = "scores"

    def mistakes_in(self, config: Config) -> Iterable[str]:
        yield from super().mistakes_in(config)
        study = config.studies[self.study]
        models = study.seeds_in_order()
        if study.splits == "pool" and any(
            one ^ 1 != other for one, other in zip(models[::2], models[1::2], strict=False)
        ):
            yield f"study: {self.study}: its seeds are not in order, so that pairs stand apart; list them ascending"


class Histogram(OfOneCell):
    kind: Literal["histogram"]
    caption = "scores of members and of non-members, seeds pooled"
    drawn_from = "scores"

    def params(self, config: Config) -> dict[str, Any]:
        (attack,) = self.shown(config)
        observation = config.queries[config.attacks[attack].reads].observation
        return super().params(config) | {"observation": observation}

    def mistakes_in(self, config: Config) -> Iterable[str]:
        yield from super().mistakes_in(config)
        if len(shown := self.shown(config)) != 1:
            yield f"attacks: {', '.join(shown)}: a histogram shows one attack; name one"


class Gallery(Figure):
    kind: Literal["gallery"]
    queries: Annotated[list[str], NonEmpty, Distinct] = Field(description="the query sets to show")
    examples: Annotated[int, Field(ge=1, le=8)] = Field(3, description="how many images")
    caption = "what the perturbed queries look like"
    drawn_from = "queries"

    def params(self, config: Config) -> dict[str, Any]:
        """Without the study, whose name decides nothing: only its data set is shown."""
        return self.model_dump(mode="json", exclude={"study"})

    def mistakes_in(self, config: Config) -> Iterable[str]:
        yield from super().mistakes_in(config)
        for query in self.queries:
            if query not in config.queries:
                yield unknown("queries", query, config.queries, "queries")
            elif not config.queries[query].has_magnitudes() or config.queries[query].crafted_from:
                yield f"queries: {query}: has no perturbed inputs to show; name query sets that perturb"


class Strengths(OfOneSize):
    kind: Literal["strengths"]
    family: str = Field(description="kind of the defenses along the axis; none stands at 0")
    axis: str = Field("", description="what it says below the axis; default: the family")
    scale: Literal["linear", "log"] = Field("linear", description="of the axis")
    settings: Annotated[list[str], NonEmpty, Distinct] = Field([""], description="of attacks, as pixels=1")
    caption = "accuracy against the strength of a defense"

    def texts(self) -> tuple[str, ...]:
        return (*super().texts(), "axis")

    def params(self, config: Config) -> dict[str, Any]:
        strengths = config.strengths(config.studies[self.study], self.family)
        return super().params(config) | {"strengths": strengths}

    def mistakes_in(self, config: Config) -> Iterable[str]:
        yield from super().mistakes_in(config)
        study = config.studies[self.study]
        families = list(dict.fromkeys(config.defenses[name].family() for name in study.defenses))
        numbers = config.strengths(study, self.family).values()
        if self.family not in families:
            yield unknown("family", self.family, families, f"the defenses of {self.study}")
        elif None in numbers:
            yield f"family: {self.family}: has no strength to draw along; choose another"
        if self.scale == "log" and 0 in numbers:
            yield "scale: log: has no place for strength 0; use linear, or leave none out of the study"

    def mistakes_of(self, attack: Rule, name: str, config: Config) -> Iterable[str]:
        offered = config.settings_of(name)
        for setting in [setting for setting in self.settings if setting not in offered]:
            yield f"settings: {setting}: {name} has no such setting; {suggest(setting, offered)}"


class OfOneAttack(OfOneSize):
    def mistakes_in(self, config: Config) -> Iterable[str]:
        yield from super().mistakes_in(config)
        if len(self.attacks or []) != 1:
            yield f"attacks: {self.attacks}: {self.kind} shows one attack; name one"


class Tradeoff(OfMetric, OfOneAttack):
    kind: Literal["tradeoff"]
    x: Literal["test_accuracy", "gap"] = Field("test_accuracy", description="gap: train - test accuracy")
    caption = "what an attack finds against what the models are worth, for all defenses"

    def params(self, config: Config) -> dict[str, Any]:
        return super().params(config) | {"families": config.families(config.studies[self.study])}


class OnOutliers(OfOneAttack):
    kind: Literal["outliers"]
    caption = "precision on outliers and on all points, for all defenses"

    def mistakes_in(self, config: Config) -> Iterable[str]:
        yield from super().mistakes_in(config)
        if config.studies[self.study].outliers is None:
            yield f"study: {self.study}: measures no outliers; give it outliers:"


class EpsilonBounds(OfOneSize):
    kind: Literal["epsilon"]
    caption = "lower bounds on epsilon by what attacks guess, beside what private training guarantees"

    def params(self, config: Config) -> dict[str, Any]:
        """delta and level of the bounds."""
        bounded = config.studies[self.study].epsilon
        return super().params(config) | (bounded.model_dump(mode="json") if bounded else {})

    def mistakes_in(self, config: Config) -> Iterable[str]:
        yield from super().mistakes_in(config)
        if config.studies[self.study].epsilon is None:
            yield f"study: {self.study}: bounds no epsilon; give it epsilon:"


AnyFigure = Annotated[
    Bars
    | Sweep
    | QueriesSpent
    | Shadows
    | Sizes
    | Roc
    | Histogram
    | Gallery
    | Strengths
    | Tradeoff
    | OnOutliers
    | EpsilonBounds,
    ByKind,
]
