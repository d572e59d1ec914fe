"""Files of results: which of them each job reads, and which there are once all is done.

Methods with `wildcards` are Snakemake's input functions: they take the wildcards of a job's output, an object with an
attribute for each. A *cell* is the n_train and the defense of a study's models, as n200-none; a *block* is some of its
seeds, as 0-5, which are one job.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from types import SimpleNamespace
from typing import Any

from lmia.attacks.observations import OBSERVATIONS
from workflow.config.schema.configuration import Config
from workflow.config.schema.studies import Study


def cells(study: Study) -> list[str]:
    """All cells of a study."""
    return [f"n{n}-{defense}" for n in study.n_train for defense in study.defenses]


def n_train_of(cell: str) -> int:
    """The n_train of a cell."""
    return int(cell.split("-", 1)[0][1:])


def defense_of(cell: str) -> str:
    """Name of the defense of a cell."""
    return cell.split("-", 1)[1]


def trained_cell(config: Config, cell: str) -> str:
    """The cell whose models are asked: a defense that only masks confidences trains none."""
    return f"n{n_train_of(cell)}-{config.trained_with(defense_of(cell))}"


def target_split(config: Config, scores: str) -> str:
    """Path of the target's split that a file of scores belongs to."""
    study, cell, block, _ = scores.removeprefix("results/scores/").split("/")
    return f"results/splits/{study}/{trained_cell(config, cell)}/{block}/target.npz"


def unique(paths: Iterable[str]) -> list[str]:
    """Each path once, in the order in which they come first."""
    return list(dict.fromkeys(paths))


class Paths:
    """The files of one configuration."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def _study(self, wildcards: Any) -> Study:
        return self._config.studies[wildcards.study]

    def _models(self, wildcards: Any) -> str:
        """Folder of the models that are asked, below that of an artifact."""
        return f"{wildcards.study}/{trained_cell(self._config, wildcards.cell)}/{wildcards.seeds}"

    def of_models(self, template: str) -> Callable[[Any], str]:
        """An input function: the path for the cell whose models are asked."""
        return lambda wildcards: template.format(
            **dict(wildcards.items()) | {"cell": trained_cell(self._config, wildcards.cell)}
        )

    def dataset(self, wildcards: Any) -> str:
        return f"results/data/{self._study(wildcards).dataset}.npz"

    def dataset_in_question(self, wildcards: Any) -> list[str]:
        """The data set of a study of which some records are in question, none where no record is."""
        return [self.dataset(wildcards)] if self._study(wildcards).in_question else []

    def shadow_roles(self, wildcards: Any) -> list[str]:
        return self._study(wildcards).shadow_roles()

    def of_blocks(self, template: str) -> Callable[[Any], list[str]]:
        """An input function: the path of each block of seeds, of the models that are asked as {models}."""

        return lambda wildcards: [
            template.format(**vars(block) | {"models": self._models(block)}) for block in self._blocks(wildcards)
        ]

    def _blocks(self, wildcards: Any) -> list[SimpleNamespace]:
        """The wildcards for each block of seeds of a study."""
        same = {"study": wildcards.study, "cell": wildcards.cell, "attack": getattr(wildcards, "attack", None)}
        return [SimpleNamespace(**same, seeds=block) for block in self._study(wildcards).seeds]

    def of_shadows(self, template: str) -> Callable[[Any], list[str]]:
        """An input function: the path of each shadow of the models that are asked."""
        return lambda wildcards: [
            template.format(**dict(wildcards.items()) | {"role": role, "models": self._models(wildcards)})
            for role in self.shadow_roles(wildcards)
        ]

    def references(self, template: str) -> Callable[[Any], list[str]]:
        """An input function: the path of each shadow that a model's searches start at; none of other query sets.

        The target's start at as many as the query set names, since no shadow has seen the target's points; a shadow's
        at any of the others, in turn, since those that have seen one of its points are no references of that.
        """

        def paths(wildcards: Any) -> list[str]:
            query = self._config.queries[wildcards.query]
            if not query.n_references():
                return []
            roles = self.shadow_roles(wildcards)
            if wildcards.role == "target":
                roles = roles[: query.n_references()]
            else:
                own = roles.index(wildcards.role)
                roles = roles[own + 1 :] + roles[:own]
            models = self._models(wildcards)
            return [template.format(models=models, role=role) for role in roles]

        return paths

    def imported_split(self, wildcards: Any) -> str:
        """The records by which a given model shows that it knows its task: those in question where none is known."""
        role = "in-question" if self._config.is_without_known(self._study(wildcards)) else "target"
        return f"results/splits/{wildcards.study}/{wildcards.cell}/{wildcards.seeds}/{role}.npz"

    def first_split(self, wildcards: Any) -> str:
        """The target's split of the first models of a study."""
        return self._first(wildcards.study, "splits")

    def source_model(self, wildcards: Any) -> str | list[str]:
        """The model that training starts from, where the defense names a study for it."""
        source = self._config.defenses[defense_of(wildcards.cell)].source_study()
        return [] if source is None else self._first(source, "models")

    def _first(self, name: str, folder: str) -> str:
        study = self._config.studies[name]
        return f"results/{folder}/{name}/{trained_cell(self._config, cells(study)[0])}/{study.seeds[0]}/target.npz"

    def asked_model(self, wildcards: Any) -> str:
        """The model that is asked: of records in question, the target."""
        role = "target" if wildcards.role == "in-question" else wildcards.role
        return f"results/models/{wildcards.study}/{wildcards.cell}/{wildcards.seeds}/{role}.npz"

    def crafted(self, wildcards: Any) -> str | list[str]:
        """The queries that were crafted for a pool; none of a query set that is made as it is asked."""
        if not self._config.queries[wildcards.query].crafted_from:
            return []
        return f"results/crafted/{wildcards.study}/{wildcards.cell}/{wildcards.query}.npz"

    def crafting(self, folder: str) -> Callable[[Any], list[str]]:
        """An input function: the file in a folder of each model that queries are crafted from."""

        def files(wildcards: Any) -> list[str]:
            if self._config.queries[wildcards.query].crafted_from == "pool":
                return [
                    f"results/{folder}/{wildcards.study}/{wildcards.cell}/{block}/target.npz"
                    for block in self._study(wildcards).seeds
                ]
            number = self._study(wildcards).pool_number()
            where = f"results/{folder}/{wildcards.study}/{wildcards.cell}/{number}"
            return [f"{where}/{role}.npz" for role in self._config.queries[wildcards.query].surrogate_roles()]

        return files

    def relabelled(self, wildcards: Any) -> list[str]:
        """The models that are asked beside a target, as they were trained on its labels; none of other query sets."""
        where = f"results/models/{wildcards.study}/{wildcards.cell}/{wildcards.seeds}"
        return [f"{where}/{role}.npz" for role in self._config.queries[wildcards.query].relabelled_roles()]

    def stopping(self, wildcards: Any) -> str | list[str]:
        """When the target's searches may stop; the shadows' run to the end, and a query set may want no stopping."""
        if wildcards.role != "target" or not self._config.queries[wildcards.query].stops_early():
            return []
        return f"results/stopping/{wildcards.study}/{wildcards.cell}/{wildcards.seeds}/{wildcards.query}.npz"

    def outliers(self, wildcards: Any) -> str | list[str]:
        """Which of the target's points are outliers, where the study wants to know."""
        return f"results/outliers/{self._models(wildcards)}.npz" if self._study(wildcards).outliers else []

    def gap_scores(self, wildcards: Any) -> str | list[str]:
        """The gap attack on the same models, where another attack is to be compared with it: in pools none is."""
        gap = None if self._study(wildcards).is_pool else self._config.gap_attack(self._study(wildcards))
        folder = f"results/scores/{wildcards.study}/{wildcards.cell}/{wildcards.seeds}"
        return [] if gap in (None, wildcards.attack) else f"{folder}/{gap}.npz"

    def observations(self, wildcards: Any, role: str, is_shadow: bool | None = None) -> str:
        """What an attack reads of one role; the shadows' confidences are masked only if it knows the mask.

        is_shadow: whether these models are shadows; default: unless their role is the target.
        """
        attack = self._config.attacks[wildcards.attack]
        observation = OBSERVATIONS[self._config.queries[attack.reads].observation]
        is_shadow = role != "target" if is_shadow is None else is_shadow
        is_masked = observation.can_be_masked and (attack.knows_masks or not is_shadow)
        cell = wildcards.cell if is_masked else trained_cell(self._config, wildcards.cell)
        return f"results/{observation.folder}/{wildcards.study}/{cell}/{wildcards.seeds}/{role}/{attack.reads}.npz"

    def target_observations(self, wildcards: Any) -> str:
        return self.observations(wildcards, "target")

    def observations_in_question(self, wildcards: Any) -> str:
        return self.observations(wildcards, "in-question", is_shadow=False)

    def shadow_observations(self, wildcards: Any) -> list[str]:
        return [self.observations(wildcards, role) for role in self.shadow_roles(wildcards)]

    def references_of_target(self, wildcards: Any) -> str | list[str]:
        """Where the references of a shadow of a given model are trained already; none of other roles."""
        if not wildcards.role.startswith("shadow"):
            return []
        cell = f"{wildcards.study}/{wildcards.cell}/{wildcards.seeds}"
        return f"results/references/{cell}/target/{wildcards.query}.npz"

    def pool_observations(self, wildcards: Any) -> list[str]:
        """What is known of each block of a pool's models as shadows: masked only if the attack knows the mask."""
        return [self.observations(block, "target", is_shadow=True) for block in self._blocks(wildcards)]

    def pool_scores(self, wildcards: Any) -> list[str]:
        """The scores of all attacks on a pool, block by block for each."""
        study, where = self._study(wildcards), f"results/scores/{wildcards.study}/{wildcards.cell}"
        return [
            f"{where}/{block}/{attack}.npz" for attack, block in product(self._config.attacks_of(study), study.seeds)
        ]

    def measures(self, wildcards: Any) -> list[str]:
        """The measures of all attacks of a study, and of its models."""
        name, study = wildcards.study, self._study(wildcards)
        blocks = [f"{name}/{cell}/{block}" for cell, block in product(cells(study), study.seeds)]
        attacks = self._config.attacks_of(study)
        of_attacks = [f"results/measures/{block}/{attack}.csv" for block, attack in product(blocks, attacks)]
        if study.is_pool:
            pools = product(cells(study), attacks)
            kinds = ["pool_measures", "epsilon"] if study.epsilon else ["pool_measures"]
            of_attacks += [
                f"results/{kind}/{name}/{cell}/{attack}.csv" for (cell, attack), kind in product(pools, kinds)
            ]
        return of_attacks + [f"results/model_measures/{block}.csv" for block in blocks]

    def differences(self) -> list[str]:
        """Tables of paired differences between attacks, of each cell of each pool that has several."""
        studies, attacks_of = self._config.studies.items(), self._config.attacks_of
        pools = {name: study for name, study in studies if study.is_pool and len(attacks_of(study)) > 1}
        return [f"results/differences/{name}/{cell}.csv" for name, study in pools.items() for cell in cells(study)]

    def audits(self, file: str) -> list[str]:
        """One of the files on each given model."""
        return [f"results/audits/{name}/{file}" for name, study in self._config.studies.items() if study.is_given]

    def alternatives(self, wildcards: Any) -> list[str]:
        """What was found of the models that the page of a given model compares it with."""
        return [f"results/audits/{name}/report.json" for name in self._study(wildcards).alternatives]

    def tables(self) -> list[str]:
        """The table of each study that has metrics."""
        return [f"results/tables/{name}.csv" for name in self._config.studies if name not in self.without_members()]

    def whole_table(self) -> list[str]:
        """The file with all metrics, none where no study has any."""
        return ["results/metrics.csv"] if self.tables() else []

    def without_members(self) -> list[str]:
        """Names of the studies of records in question alone, which are compared with known others, if with any."""
        return [name for name, study in self._config.studies.items() if self._config.is_without_members(study)]

    def without_known(self) -> list[str]:
        """Names of those of them that have no known others to compare with either."""
        return [name for name, study in self._config.studies.items() if self._config.is_without_known(study)]

    def with_others(self) -> list[str]:
        """Names of those of them that have some."""
        return [name for name in self.without_members() if name not in self.without_known()]

    def with_members(self) -> list[str]:
        """Names of the other studies of given models."""
        studies, without = self._config.studies.items(), self.without_members()
        return [name for name, study in studies if study.is_given and name not in without]

    def first_model(self, wildcards: Any) -> str:
        """The target of the first models of a study."""
        return self._first(wildcards.study, "models")

    def audit_observations(self, wildcards: Any) -> list[str]:
        """What attacks read of known records of a given model, of those that read labels alone."""
        return [self.target_observations(audited) for audited in self._audited(wildcards)]

    def audit_observations_in_question(self, wildcards: Any) -> list[str]:
        """The like of records in question."""
        return [self.observations_in_question(audited) for audited in self._audited(wildcards)]

    def _audited(self, wildcards: Any) -> list[SimpleNamespace]:
        study = self._study(wildcards)
        same = {"study": wildcards.study, "cell": cells(study)[0], "seeds": study.seeds[0]}
        return [SimpleNamespace(**same, attack=attack) for attack in self._config.label_attacks_of(study)]

    def audit_scores(self, wildcards: Any) -> list[str]:
        """The scores of the attacks on a given model that read labels alone."""
        return self._audit_scores(wildcards, "scores")

    def audit_scores_in_question(self, wildcards: Any) -> list[str]:
        """The like of records in question, none where the study has none."""
        return self._audit_scores(wildcards, "scores_in_question") if self._study(wildcards).in_question else []

    def _audit_scores(self, wildcards: Any, folder: str) -> list[str]:
        study = self._study(wildcards)
        where = f"results/{folder}/{wildcards.study}/{cells(study)[0]}/{study.seeds[0]}"
        return [f"{where}/{attack}.npz" for attack in self._config.label_attacks_of(study)]

    def figure_tables(self, wildcards: Any) -> list[str]:
        figure = self._config.figures[wildcards.figure]
        return [f"results/tables/{study}.csv" for study in figure.all_studies()]

    def figure_dataset(self, wildcards: Any) -> str:
        return self.dataset(self._config.figures[wildcards.figure])

    def _figure_blocks(self, wildcards: Any) -> list[str]:
        """Folders of the one cell that a figure of single models shows."""
        figure: Any = self._config.figures[wildcards.figure]
        study = self._config.studies[figure.study]
        cell = f"n{figure.n_train or study.n_train[0]}-{figure.defense or study.defenses[0]}"
        return [f"{figure.study}/{cell}/{block}" for block in study.seeds]

    def _of_figure(self, folder: str, end: str, wildcards: Any) -> list[str]:
        figure: Any = self._config.figures[wildcards.figure]
        pairs = product(self._figure_blocks(wildcards), figure.shown(self._config))
        return [f"results/{folder}/{block}/{attack}.{end}" for block, attack in pairs]

    def figure_scores(self, wildcards: Any) -> list[str]:
        return self._of_figure("scores", "npz", wildcards)

    def figure_splits(self, wildcards: Any) -> list[str]:
        """The target's split of each file of scores, in their order."""
        return [target_split(self._config, path) for path in self.figure_scores(wildcards)]

    def figure_measures(self, wildcards: Any) -> list[str]:
        """The measures of these attacks and of their models."""
        models = [f"results/model_measures/{block}.csv" for block in self._figure_blocks(wildcards)]
        return self._of_figure("measures", "csv", wildcards) + models

    def exhibit_studies(self, exhibit: str) -> list[str]:
        """Those of the paper's studies that this configuration has."""
        return [study for study in self._config.exhibits[exhibit].paper if study in self._config.studies]

    def exhibit_tables(self, wildcards: Any) -> list[str]:
        return [f"results/tables/{study}.csv" for study in self.exhibit_studies(wildcards.exhibit)]

    def exhibit_remarks(self, exhibit: str) -> list[str]:
        """The remarks on its studies: they come first, before long work."""
        return [f"results/remarks/{study}.txt" for study in self.exhibit_studies(exhibit)]

    def all_results(self) -> list[str]:
        """All that there is once everything of the configuration is done, and those exhibits that were asked for."""
        artifacts = [path for study in self._config.studies for path in self._artifacts_of(study)]
        return unique([*artifacts, *self._tables_and_figures()])

    def _artifacts_of(self, name: str) -> Iterator[str]:
        study = self._config.studies[name]
        for cell, seeds, attack in product(cells(study), study.seeds, [None, *self._config.attacks_of(study)]):
            wildcards = SimpleNamespace(study=name, cell=cell, seeds=seeds, attack=attack)
            roles = ["target", *self.shadow_roles(wildcards)]
            if attack is None:
                yield self.dataset(wildcards)
                yield from (f"results/splits/{self._models(wildcards)}/{role}.npz" for role in roles)
                yield from (f"results/models/{self._models(wildcards)}/{role}.npz" for role in roles)
                if study.in_question:
                    yield f"results/splits/{self._models(wildcards)}/in-question.npz"
                if study.outliers:
                    yield str(self.outliers(wildcards))
                continue
            query = self._config.attacks[attack].reads
            if self._config.queries[query].stops_early():
                yield f"results/stopping/{self._models(wildcards)}/{query}.npz"
            if self._config.queries[query].crafted_from:
                of_query = SimpleNamespace(study=name, cell=trained_cell(self._config, cell), query=query)
                yield str(self.crafted(of_query))
                yield from (file for folder in ("splits", "models") for file in self.crafting(folder)(of_query))
            if self._config.queries[query].n_relabelled():
                where = {"study": name, "cell": trained_cell(self._config, cell), "seeds": seeds}
                yield f"results/splits/{self._models(wildcards)}/relabelled.npz"
                yield from self.relabelled(SimpleNamespace(**where, query=query))
            if not self._config.is_without_known(study):
                yield from (self.observations(wildcards, role) for role in roles)
            yield from self.pool_observations(wildcards) if study.is_pool else ()
            if study.in_question and attack in self._config.label_attacks_of(study):
                yield self.observations_in_question(wildcards)
            if name in self.without_members():
                continue
            yield f"results/scores/{name}/{cell}/{seeds}/{attack}.npz"
            if study.in_question and attack in self._config.label_attacks_of(study):
                yield f"results/scores_in_question/{name}/{cell}/{seeds}/{attack}.npz"

    def _tables_and_figures(self) -> Iterator[str]:
        studies, figures = self._config.studies, product(self._config.figures, ("png", "pdf", "txt"))
        yield from (f"results/remarks/{study}.txt" for study in studies)
        measured = [study for study in studies if study not in self.without_members()]
        yield from (path for study in measured for path in self.measures(SimpleNamespace(study=study)))
        yield from self.tables()
        yield from self.differences()
        files = ("report.html", "report.json", "model-card.md", "records.csv")
        yield from (path for file in files for path in self.audits(file))
        yield from self.whole_table()
        yield from (f"results/figures/{figure}.{end}" for figure, end in figures)
        for exhibit in self._config.exhibits:
            files = ("comparison.csv", "claims.csv", f"{exhibit}.md")
            yield from filter(os.path.exists, (f"results/exhibits/{exhibit}/{file}" for file in files))
