"""What jobs are given: entries of the configuration as plain values, each job's own alone.

A param is what a result depends on, so what changes no result is left out: names, places of files, how a model is run.
Methods take the wildcards of a job's output, an object of Snakemake's with an attribute for each.
"""

from collections.abc import Sequence
from typing import Any

from lmia.attacks.observations import OBSERVATIONS
from workflow.config.result_files import defense_of, n_train_of
from workflow.config.schema.base import Entry, Strict
from workflow.config.schema.configuration import Config
from workflow.config.schema.datasets import Torchvision, Unpublished
from workflow.config.schema.defenses import Defense
from workflow.config.schema.figures import AnyFigure
from workflow.config.schema.queries import AnyQuery
from workflow.config.schema.studies import Study
from workflow.config.schema.targets import Target
from workflow.config.yaml_reader import ConfigError
from workflow.harness.fingerprint import file_hash

PRECISION_KEYS = ("precision", "most_disagreement")  # of a query set: how the model is run, and not what it is sent


def plain(entry: Strict, without: Sequence[str] = ()) -> dict[str, Any]:
    """An entry as plain values: params that are not are compared wrongly."""
    return {key: value for key, value in entry.model_dump(mode="json").items() if key not in without}


class Params:
    """The params of the jobs of one configuration.

    places: filled with what `files` gives -> paths, which jobs find the files by.
    """

    def __init__(self, config: Config, places: dict[str, list[str]]) -> None:
        self._config, self._places = config, places

    def _study(self, wildcards: Any) -> Study:
        return self._config.studies[wildcards.study]

    def defense_entry(self, wildcards: Any) -> Defense:
        return self._config.defenses[defense_of(wildcards.cell)]

    def model_entry(self, wildcards: Any) -> Entry:
        """What builds the model of a job: of a shadow of a given model, what its trainer makes."""
        study, config = self._study(wildcards), self._config
        is_shadow = study.is_given and getattr(wildcards, "role", "target").startswith("shadow")
        entry = config.shadow_of(study) if is_shadow else config.model_of(study)
        assert entry is not None  # or the check would have said so
        return entry

    def target_entry(self, wildcards: Any) -> Target:
        return self._config.targets[self._study(wildcards).model]

    def files(self, *entries: Entry) -> list[str]:
        """Hashes of the users' own files that entries read, with the names that a plug-in knows them by.

        Built-in data sets are verified against a hash of their own when they are read.
        """
        found = set()
        for name, file in (pair for entry in entries for pair in entry.files()):
            shown = " ".join(filter(None, [file_hash(file), name]))
            found.add(shown)
            paths = self._places.setdefault(shown, [])
            paths += [] if file in paths else [file]  # two data sets may have copies
        return sorted(found)

    def dataset(self, wildcards: Any) -> dict[str, Any]:
        """A data set without where its files lie: a copy elsewhere is the same."""
        entry = self._config.datasets[wildcards.dataset]
        return plain(entry, without=(*entry.places, *entry.of_splits, *entry.of_audits))

    def places(self, wildcards: Any) -> list[str]:
        """Names of the options that say where a data set lies, or how it gets there."""
        return list(self._config.datasets[wildcards.dataset].places)

    def membership(self, wildcards: Any) -> dict[str, Any] | None:
        """How the module of its kind tells what a given model was trained on, None where splits are drawn."""
        study = self._study(wildcards)
        return self._config.datasets[study.dataset].options_of_splits() if study.is_given else None

    def membership_files(self, wildcards: Any) -> list[str]:
        study = self._study(wildcards)
        return self.files(self._config.datasets[study.dataset]) if study.is_given else []

    def in_question(self, wildcards: Any) -> int | None:
        """How many records of which nobody knows are judged too at most, None for a role that has none."""
        return self._study(wildcards).in_question if wildcards.role == "in-question" else None

    def known_kinds(self, wildcards: Any) -> list[str]:
        """Of which kinds of known records a study is: of both, but where some are compared with others alone."""
        return self._config.known_kinds(self._study(wildcards))

    def evaluated_of_shadow(self, wildcards: Any) -> int | None:
        """At most so many of each kind that a given model is judged by, for shadows that are drawn from these."""
        study = self._study(wildcards)
        return study.evaluated if study.is_given and wildcards.role.startswith("shadow") else None

    def shadow_place(self, wildcards: Any) -> str | None:
        """The option that says where a file lies that tells how to train a shadow, None where its trainer does."""
        entry = self.model_entry(wildcards)
        return entry.place if isinstance(entry, Target) else None

    def told_columns(self, wildcards: Any) -> dict[str, Any]:
        """The columns of a data set that name its records, "id" (None: none does), and groups of them."""
        dataset = self._config.datasets[self._study(wildcards).dataset]
        return {"id": dataset.naming(), "groups": dataset.grouping()}

    def told_files(self, wildcards: Any) -> list[str]:
        return self.membership_files(wildcards) if any(self.told_columns(wildcards).values()) else []

    def unhashed_root(self, wildcards: Any) -> str | None:
        """Where files lie that are known by no hash, as torchvision's are not: another folder may have others."""
        entry = self._config.datasets[wildcards.dataset]
        return entry.root if isinstance(entry, Torchvision) else None

    def known_original(self, wildcards: Any) -> list[str]:
        """No input, but an error before any job where the data set's job could only fail."""
        entry = self._config.datasets[wildcards.dataset]
        if isinstance(entry, Unpublished) and entry.sha256 is None:
            raise ConfigError(
                f"datasets.{wildcards.dataset}.sha256: missing; nobody published one of this archive, so it is not "
                f'read unseen: `python -c "from lmia.data import {entry.kind}; {entry.kind}.load()"` fetches it and '
                "tells what it has; state that if you trust it (docs/reference/datasets.md)"
            )
        return []

    def n_train(self, wildcards: Any) -> int:
        return n_train_of(wildcards.cell)

    def n_nonmembers(self, wildcards: Any) -> int:
        return self._study(wildcards).n_nonmembers or n_train_of(wildcards.cell)

    def evaluated(self, wildcards: Any) -> int | None:
        return self._study(wildcards).evaluated

    def evaluated_of_role(self, wildcards: Any) -> int | None:
        """The same, for what is asked by the records of a role alone: all of those in question are asked about."""
        return None if wildcards.role == "in-question" else self.evaluated(wildcards)

    def pool(self, wildcards: Any) -> int | None:
        return self._study(wildcards).pool_number()

    def relabelled_points(self, wildcards: Any) -> int:
        """How many points each target of a pool labels for an attacker."""
        return self._study(wildcards).n_relabelled(n_train_of(wildcards.cell))

    def blocks(self, wildcards: Any) -> list[str]:
        """Of all seeds of a study, in the order of `Paths.of_blocks`."""
        return list(map(str, self._study(wildcards).seeds))

    def model(self, wildcards: Any) -> dict[str, Any]:
        """What a model is: read by training, and by all who build it again to query it."""
        entry = self.model_entry(wildcards)
        if not isinstance(entry, Target):
            return plain(entry, without=entry.places)
        return plain(entry, without=(*entry.places, *entry.of_training)) | {"kind": entry.module}

    def target(self, wildcards: Any) -> dict[str, Any]:
        """What is read of a file, without where that lies."""
        entry = self.target_entry(wildcards)
        return plain(entry, without=(*entry.places, *entry.of_training))

    def trainer_entries(self, wildcards: Any) -> list[Entry]:
        """By what models like a given one are trained, none where that is by itself."""
        name = self.target_entry(wildcards).trainer
        return [self._config.trainers[name]] if name is not None else []

    def trainer(self, wildcards: Any) -> dict[str, Any] | None:
        return next(map(plain, self.trainer_entries(wildcards)), None)

    def own_trainer_entries(self, wildcards: Any) -> list[Entry]:
        """By what a model is trained that is no file yet, none where it is one."""
        return self.trainer_entries(wildcards) if self.target_entry(wildcards).is_trained_here else []

    def own_trainer(self, wildcards: Any) -> dict[str, Any] | None:
        return next(map(plain, self.own_trainer_entries(wildcards)), None)

    def model_files(self, wildcards: Any) -> list[str]:
        return self.files(self.model_entry(wildcards))

    def trained_model(self, wildcards: Any) -> dict[str, Any] | None:
        """What a model is that is trained here; None of a given one."""
        return None if self._study(wildcards).is_given else self.model(wildcards)

    def trained_model_files(self, wildcards: Any) -> list[str]:
        return [] if self._study(wildcards).is_given else self.model_files(wildcards)

    def trained_model_modules(self, wildcards: Any) -> list[str]:
        return [] if self._study(wildcards).is_given else [self.model_entry(wildcards).module]

    def training(self, wildcards: Any) -> dict[str, Any]:
        return plain(self._study(wildcards).training)

    def defense(self, wildcards: Any) -> dict[str, Any]:
        return plain(self.defense_entry(wildcards))

    def mask(self, wildcards: Any) -> dict[str, Any]:
        """The defense as confidences see it, without whose models it is laid over."""
        return plain(self.defense_entry(wildcards), without=("over",))

    def perturbation(self, query: str) -> dict[str, Any]:
        """What is sent, without how the model is run."""
        return plain(self._config.queries[query], without=PRECISION_KEYS)

    def perturbing_entries(self, wildcards: Any) -> list[Entry]:
        """What makes queries as they are asked; none of those that are in a file already."""
        query = self._config.queries[wildcards.query]
        return [] if query.crafted_from else [query]

    def precision(self, wildcards: Any) -> dict[str, Any]:
        entry = plain(self._config.queries[wildcards.query])
        return {key: entry[key] for key in PRECISION_KEYS if key in entry}

    def search(self, wildcards: Any) -> dict[str, Any]:
        """A search without when it stops: the shadows' run to the end, and the target's have that from its own file."""
        query = self._config.queries[wildcards.query]
        references = {"references": query.n_references()} if query.n_references() else {}
        return plain(query, without=("stop_error", "references")) | references

    def attack(self, wildcards: Any) -> dict[str, Any]:
        """A rule in a study without pool: numbers of a pool's shadows are nothing to it."""
        return plain(self._config.attacks[wildcards.attack], without=("shadows",))

    def attack_in_question(self, wildcards: Any) -> dict[str, Any]:
        """A rule as it judges records in question: in no other setting than its own."""
        return self._in_one_setting(wildcards.attack)

    def _in_one_setting(self, attack: str) -> dict[str, Any]:
        return plain(self._config.attacks[attack], without=("shadows", "budgets"))

    def label_attacks(self, wildcards: Any) -> list[list[Any]]:
        """[name, rule in its own setting, what it reads] of each attack of a study that reads labels alone."""
        names = self._config.label_attacks_of(self._study(wildcards))
        return [[name, self._in_one_setting(name), self._config.query_of(name).observation] for name in names]

    def label_attack_modules(self, wildcards: Any) -> list[str]:
        return [self._config.attacks[name].module for name, _, _ in self.label_attacks(wildcards)]

    def observation(self, wildcards: Any) -> str:
        return self._config.query_of(wildcards.attack).observation

    def row_key(self, wildcards: Any) -> dict[str, Any]:
        """The columns of metrics.csv that all attacks on the same models share."""
        study = self._study(wildcards)
        return {
            "study": wildcards.study,
            "dataset": study.dataset,
            "n_train": n_train_of(wildcards.cell),
            "model": study.model,
            "defense": defense_of(wildcards.cell),
        }

    def first_block(self, wildcards: Any) -> str:
        return str(self._study(wildcards).seeds[0])

    def audit_key(self, wildcards: Any) -> dict[str, Any]:
        """What an audit is of, what is believed of its records, and whether models like it were trained."""
        study = self._study(wildcards)
        names = self._config.attacks_of(study)
        return {
            "study": wildcards.study,
            "dataset": study.dataset,
            "model": study.model,
            "n_train": study.n_train[0],
            "prior": study.prior,
            "shadows": study.n_shadows,
            "references": any(self._config.query_of(name).observation == "references" for name in names),
        }

    def attack_key(self, wildcards: Any) -> dict[str, Any]:
        """The columns of metrics.csv that all rows of an attack share."""
        access = OBSERVATIONS[self.observation(wildcards)].access
        same = {"attack": wildcards.attack, "access": access, "queries_elsewhere": self._elsewhere(wildcards)}
        return self.row_key(wildcards) | same | self._spent(wildcards)

    def _spent(self, wildcards: Any) -> dict[str, int]:
        """What an attack needs beside queries of each target: models trained on its labels, and gradients of others."""
        attack, query = self._config.attacks[wildcards.attack], self._config.query_of(wildcards.attack)
        study = self._study(wildcards)
        return {
            "relabelled": query.n_relabelled() if attack.needs_relabelled else 0,
            "gradients": query.n_gradients(len(study.models()) if study.is_pool else 0),
        }

    def _elsewhere(self, wildcards: Any) -> int:
        """How many queries of each target an attack needs at most that are about none of its examples."""
        attack, query = self._config.attacks[wildcards.attack], self._config.query_of(wildcards.attack)
        if attack.needs_relabelled:
            return self.relabelled_points(wildcards)
        if attack.needs_random_inputs:
            return getattr(query, "random_inputs", 0) * int(query.cost() + 1)  # each search, and a label
        return getattr(query, "population", 0) if attack.needs_population else 0

    def figure_entry(self, wildcards: Any) -> AnyFigure:
        return self._config.figures[wildcards.figure]

    def figure(self, wildcards: Any) -> dict[str, Any]:
        return self.figure_entry(wildcards).params(self._config)

    def gallery_entries(self, wildcards: Any) -> list[AnyQuery]:
        gallery: Any = self.figure_entry(wildcards)
        return [self._config.queries[name] for name in gallery.queries]

    def gallery_queries(self, wildcards: Any) -> dict[str, Any]:
        gallery: Any = self.figure_entry(wildcards)
        return {name: self.perturbation(name) for name in gallery.queries}
