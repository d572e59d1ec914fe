"""Keep what finished studies found as small tables in docs/results/data, joined over runs of different seeds.

A page may show more seeds than one machine has time for. Each run keeps its own rows beside those of other runs:
python -m workflow.tools.kept_results docs/results/configs/paper.yaml --run seeds-3-4.yaml
Each row has a `recipe`, a hash of every setting that it depends on but its seed and size. Rows of settings that the
page's configuration no longer has are dropped, so a mean over seeds is always of models that were made and attacked
alike. A run may have fewer studies, attacks and exhibits than the page: what other runs kept of these stays.
"""

import argparse
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lmia import artifacts
from lmia.evaluation.claims import MARGINS, read_margins
from lmia.evaluation.metrics_table import ALL_SEEDS, COLUMNS, SPENT, read_metrics, with_rows_over_seeds
from lmia.evaluation.paper_comparison import transfer_cost
from lmia.membership import load_membership
from lmia.streams import seed_list
from workflow.config.exhibit_inputs import CHANCE, TEST_ACCURACY, claim_sides
from workflow.config.job_params import plain
from workflow.config.load import load
from workflow.config.result_files import defense_of, n_train_of, trained_cell
from workflow.config.schema.configuration import Config
from workflow.harness.fingerprint import ROOT
from workflow.tools.cpu_time import cpu_seconds

Table = Any  # a pandas DataFrame, whose own hints hold every type that an entry may have
DATA = ROOT / "docs/results/data"

MODEL = ["study", "n_train", "defense"]
KEYS = {  # kind of table -> what tells its rows apart
    "measures": [*MODEL, "seed", "attack", "setting", "metric"],
    "models": [*MODEL, "seed", "role"],
    "thresholds": [*MODEL, "seed", "attack"],
    "costs": [*MODEL, "seeds", "stage", "file"],
    "margins": ["artifact", "claim", "metric", "seed"],
}
NUMBERS = (
    *SPENT,
    "against_queries",
    "value",
    "margin",
    "ci_low",
    "ci_high",
    "points",
    "cpu",
)  # columns in which an empty field is no text
OF_SWEEPS = ("accuracy", "auc")  # metrics that are kept of attacks in other settings than as they are meant to be run
STAGES = {
    "splits": "draw splits",
    "models": "train",
    "answers": "query labels",
    "distances": "search boundaries",
    "white_box": "query white-box",
    "confidences": "query confidences",
    "scores": "score",
    "measures": "measure",
}


def keep(
    config: Config, name: str, results: Path = ROOT / "results", data: Path = DATA, run: Config | None = None
) -> None:
    """Join what studies of a run have in `results` to the tables of one page in `data`.

    config: of the page; run: of the run, None where it is the same.
    """
    run = run or config
    found = {
        "measures": pd.concat([pd.DataFrame(columns=COLUMNS), *measures(run, results)]),
        "models": pd.DataFrame(models(run, results)),
        "thresholds": pd.DataFrame(thresholds(run, results)),
        "costs": pd.DataFrame(costs(run, results)),
        "margins": pd.concat([pd.DataFrame(columns=MARGINS), *margins(run, results)]),
    }
    data.mkdir(parents=True, exist_ok=True)
    recipes = Recipes(run)
    for kind, table in found.items():
        new: Table = table
        numbers = {column: new[column].astype(float).map(_as_kept) for column in NUMBERS if column in new}
        new = new.assign(**numbers)
        old = kept(config, name, kind, data)
        new = new.assign(recipe=[recipes.of(row) for row in new.to_dict(orient="records")])
        joined = pd.concat([table for table in (old, new) if len(table)] or [old])
        joined = joined.drop_duplicates(KEYS[kind], keep="last").sort_values(
            KEYS[kind], key=lambda column: _places(config, column), kind="stable"
        )
        if kind == "measures":
            joined = pd.concat([joined, with_means(joined).query("seed == @ALL_SEEDS")])
        if len(joined):
            joined.to_csv(data / f"{name}-{kind}.csv", index=False, float_format="%.6g")


def _as_kept(number: float) -> float:
    """With as many digits as a file has, so that means are of the same numbers whenever they are computed."""
    return float(f"{number:.6g}")


def kept(config: Config, name: str, kind: str, data: Path = DATA) -> Table:
    """The rows of one kind of table that are kept for a page and are of this configuration's settings.

    kind: one of KEYS. The table has the columns of its key at least, and no rows where nothing was kept.
    """
    file = data / f"{name}-{kind}.csv"
    if not file.exists():
        return pd.DataFrame(columns=[*KEYS[kind], "recipe"])
    texts: Table = dict.fromkeys(["recipe", "seed", "seeds", "file"], str)
    numbers: Table = {column: [""] for column in NUMBERS}
    table: Table = pd.read_csv(file, dtype=texts, keep_default_na=False, na_values=numbers)
    if "seed" in table:
        table = table[table["seed"].ne(ALL_SEEDS)].astype({"seed": int})
    recipes = Recipes(config)
    is_current = [recipes.of(row) == row["recipe"] for row in table.to_dict("records")]
    return table[np.array(is_current, bool)]


def measures_over_seeds(config: Config, name: str, data: Path = DATA) -> Table:
    """Kept measures of the configuration's seeds, with rows over them, as `metrics_table` has them."""
    table = kept(config, name, "measures", data)
    of = table[["study", "n_train", "seed"]].itertuples(index=False)
    return with_means(table[np.array([_is_wanted(config, *row) for row in of], bool)])


def with_means(table: Table) -> Table:
    """Kept measures with rows over seeds, of each study by itself."""
    parts = [pd.DataFrame(columns=COLUMNS)]
    for _, rows in table.groupby("study", sort=False):
        rows = rows.assign(seed=rows["seed"].astype(str)).reindex(columns=COLUMNS)
        parts.append(with_rows_over_seeds(rows))
    return pd.concat(parts[1:] or parts, ignore_index=True)


class Recipes:
    """Hashes of what the rows of kept tables depend on besides sizes and seeds."""

    def __init__(self, config: Config) -> None:
        self._config, self._known = config, {}
        self._claims = {
            (artifact, text, metric): (left, right)
            for artifact in config.exhibits
            for _, text, metric, left, right in claim_sides(config, artifact)
        }

    def of(self, row: Mapping[str, Any]) -> str | None:
        """12 hex digits, None where the configuration has no such models, attack or claim any more."""
        if "claim" not in row:
            return self._of_attack(row["study"], row["defense"], row.get("attack", ""))
        sides = self._claims.get((row["artifact"], row["claim"], row["metric"]), ())
        of_sides = [
            "" if side.attack == CHANCE else self._of_attack(side.study, side.defense, side.attack) for side in sides
        ]
        return _hash(of_sides) if sides else None

    def _of_attack(self, study: str, defense: str, attack: str) -> str | None:
        """attack: "" and "test_accuracy" mean the models alone."""
        if (key := (study, defense, attack)) not in self._known:
            self._known[key] = self._compute(study, defense, "" if attack == TEST_ACCURACY else attack)
        return self._known[key]

    def _compute(self, name: str, defense: str, attack: str) -> str | None:
        study = self._config.studies.get(name)
        if study is None or attack and attack not in self._config.attacks_of(study):
            return None
        if defense not in {*study.defenses, *map(self._config.trained_with, study.defenses)}:
            return None
        return _hash(_settings(self._config, name, defense, attack))


def _hash(settings: list[Any]) -> str:
    """Without what is not stated, or each new option would change the recipes of all that was made without it."""
    return hashlib.sha256(json.dumps(_stated(settings), sort_keys=True).encode()).hexdigest()[:12]


def _stated(value: Any) -> Any:
    """A nested value without its entries that are None."""
    if isinstance(value, dict):
        return {key: _stated(part) for key, part in value.items() if part is not None}
    return list(map(_stated, value)) if isinstance(value, list) else value


def _settings(config: Config, name: str, defense: str, attack: str = "") -> list[Any]:
    """Entries of the configuration as plain values."""
    study = config.studies[name]
    dataset, model = config.datasets[study.dataset], config.model_of(study)
    dropped = ("seeds", "n_train", "defenses", "attacks", "dataset", "model", "alternatives")
    entries: list[Any] = [plain(study, without=dropped), plain(dataset), model and plain(model)]
    entries.append(plain(guard := config.defenses[defense]))
    if (source := guard.source_study()) is not None:
        first = config.studies[source]
        entries.append([first.n_train[0], first.seeds[0], *_settings(config, source, first.defenses[0])])
    if attack:
        entries += [plain(config.attacks[attack]), plain(config.query_of(attack))]
    return entries


def _is_wanted(config: Config, study: str, n_train: int, seed: Any) -> bool:
    return n_train in config.studies[study].n_train and int(seed) in config.studies[study].models()


def _places(config: Config, column: pd.Series) -> pd.Series:
    """What to sort a column of a key by: entries as the configuration has them, sizes and seeds by value."""
    named = {"study": config.studies, "defense": config.defenses, "attack": config.attacks, "artifact": config.exhibits}
    if (entries := named.get(str(column.name))) is not None:
        return column.map({entry: place for place, entry in enumerate(["", *entries])})
    return column if column.name in ("n_train", "seed") else pd.Series(0, index=column.index)


def measures(config: Config, results: Path) -> Iterator[Table]:
    """Rows of single seeds of each study that has a table: all metrics of attacks as they are meant to be run."""
    for study in attacked(config):
        if (file := results / f"tables/{study}.csv").exists():
            table = read_metrics(file)
            is_kept = table["seed"].ne(ALL_SEEDS) & (table["setting"].eq("") | table["metric"].isin(OF_SWEEPS))
            yield table[is_kept].assign(seed=table["seed"].where(is_kept, "0").astype(int))


def attacked(config: Config) -> list[str]:
    """Names of the studies with attacks, but for those of pools, which have a page of their own."""
    return [name for name, study in config.studies.items() if study.attacks and not study.is_pool]


def runs(config: Config) -> Iterator[tuple[dict[str, Any], list[int], str]]:
    """(what tells models apart, their seeds, path of their folder under a stage's) of all blocks that are attacked."""
    for name in attacked(config):
        study = config.studies[name]
        for n in study.n_train:
            for cell in dict.fromkeys(trained_cell(config, f"n{n}-{defense}") for defense in study.defenses):
                for block in map(str, study.seeds):
                    key = {"study": name, "n_train": n, "defense": defense_of(cell)}
                    yield key, seed_list(block), f"{name}/{cell}/{block}"


def models(config: Config, results: Path) -> Iterator[dict[str, Any]]:
    """Accuracies, fractions, and epochs of each target and first shadow, of finished studies."""
    for key, seeds, folder in runs(config):
        if not (results / f"tables/{key['study']}.csv").exists():
            continue
        for role in ("target", "shadow0"):
            if (file := results / f"models/{folder}/{role}.npz").exists():
                model, _ = artifacts.load(file, "model")
                of_seeds = (model[column].tolist() for column in ("train_accuracy", "test_accuracy", "epochs"))
                for seed, train, test, epochs in zip(seeds, *of_seeds, strict=True):
                    of = key | {"seed": seed, "role": role.rstrip("0")}
                    yield of | {"train_accuracy": train, "test_accuracy": test, "epochs": epochs}


def thresholds(config: Config, results: Path) -> Iterator[dict[str, Any]]:
    """Points that thresholds lose on their way from shadow to target, of each attack as it is meant to be run."""
    for key, seeds, folder in runs(config):
        for attack in config.attacks_of(config.studies[key["study"]]):
            if (file := results / f"scores/{folder}/{attack}.npz").exists():
                scored, _ = artifacts.load(file, "scores")
                is_member = load_membership(results / f"splits/{folder}/target.npz", scored["example_ids"])
                of_seeds = (scored["scores"][:, 0], scored["thresholds"][:, 0], is_member)
                for seed, scores, threshold, known in zip(seeds, *of_seeds, strict=True):
                    points = 100 * transfer_cost(scores, known, threshold)
                    yield key | {"seed": seed, "attack": attack, "points": points}


def costs(config: Config, results: Path) -> Iterator[dict[str, Any]]:
    """CPU minutes of each job of finished studies, from the workflow's own benchmarks."""
    blocks = {name: [*map(str, study.seeds)] for name, study in config.studies.items()}
    for stage in STAGES:
        for study in [name for name in attacked(config) if (results / f"tables/{name}.csv").exists()]:
            for file in sorted((results / "benchmarks" / stage / study).rglob("*.tsv")):
                parts = file.relative_to(results / "benchmarks" / stage / study).parts
                cell, block = parts[:2]
                if block not in blocks[study]:  # of another run
                    continue
                of = {
                    "study": study,
                    "n_train": n_train_of(cell),
                    "defense": defense_of(cell),
                    "seeds": block,
                    "stage": stage,
                }
                yield of | {"file": "/".join([*parts[2:-1], file.stem]), "cpu": cpu_seconds([file]) / 60}


def margins(config: Config, results: Path) -> Iterator[Table]:
    """Margins of single seeds of each exhibit that was made."""
    for exhibit in config.exhibits:
        if (file := results / f"exhibits/{exhibit}/margins.csv").exists():
            yield read_margins(file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", help="configuration files of the page")
    parser.add_argument("--run", nargs="*", default=[], help="those that were laid over them for this run")
    parser.add_argument("--name", default="paper", help="of the page")
    arguments = parser.parse_args()
    keep(load(*arguments.files), arguments.name, run=load(*arguments.files, *arguments.run))
