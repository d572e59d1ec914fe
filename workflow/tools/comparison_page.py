"""Put what pools of models found into docs/comparison.md: attacks side by side at low false-positive rates.

Run from the repository root, once after each configuration that was run:
python -m workflow.tools.comparison_page config/comparison-small.yaml
The numbers are kept in docs/results/data/comparison-*.csv. They replace what stands in the page between two comments of
each pool, <!-- digits-pool-0 --> and <!-- end of digits-pool-0 -->; all other text is written by hand.
"""

import argparse
import math
import shutil
from collections.abc import Iterator, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pandas as pd

from lmia.evaluation.flags import FEW
from lmia.evaluation.metrics_table import ALL_SEEDS, SPENT, read_metrics
from lmia.evaluation.paper_comparison import to_markdown
from workflow.config.load import load
from workflow.config.result_files import cells
from workflow.config.schema.configuration import Config
from workflow.harness.fingerprint import ROOT
from workflow.tools.cpu_time import cpu_seconds
from workflow.tools.results_page import KEPT, PAGES

Table = Any  # a pandas DataFrame, as in results_page
PAGE = ROOT / "docs/comparison.md"
DATA, FIGURES = PAGES / "data", ROOT / "docs/figures/comparison"
RATES = {"tpr_at_0.01_fpr": "TPR at 1 %", "tpr_at_0.001_fpr": "TPR at 0.1 %"}
ELSEWHERE = {  # what an attack spends beside queries of a target about a point
    "queries_elsewhere": "queries elsewhere",
    "relabelled": "relabelled models",
    "surrogates": "surrogates",
    "gradients": "gradients",
    "cpu": "CPU s",
}
QUERY_LIMITS = (16, 250)  # at most so many a point, in tables of their own
ASKED = ("crafted", "answers", "distances", "confidences")  # stages whose jobs are of one query set
PRIORS = {"0.5": "PPV at 50 %", "0.1": "at 10 %", "0.01": "at 1 %", "0.001": "at 0.1 %"}


def main(files: Sequence[str]) -> None:
    config = load(*files)
    for name, study in config.studies.items():
        if study.is_pool and (ROOT / f"results/tables/{name}.csv").exists():  # others have not been run
            keep(config, name)
    PAGE.write_text(filled(PAGE.read_text()))


def keep(config: Config, name: str) -> None:
    """Copy a pool's rows, its differences and its figures beside the page."""
    table, columns = read_metrics(ROOT / f"results/tables/{name}.csv"), list(dict.fromkeys([*KEPT, *SPENT]))
    spread = table.loc[table["seed"].ne(ALL_SEEDS) & table["metric"].isin(RATES) & table["setting"].eq("")]
    (cell,) = cells(config.studies[name])
    differences = pd.read_csv(ROOT / f"results/differences/{name}/{cell}.csv")
    access = table.loc[table["attack"].ne(""), ["attack", "access"]].drop_duplicates()
    rows = table.loc[table["seed"].eq(ALL_SEEDS), columns].merge(access, on="attack", how="left")
    rows = with_config(config, rows)
    seconds = {attack: cpu_of_attack(config, name, attack) for attack in config.attacks_of(config.studies[name])}
    rows["cpu"] = rows["attack"].map(seconds).where(rows["setting"].eq(""))
    rows.to_csv(DATA / f"comparison-{name}.csv", index=False, float_format="%.4g")
    spread[KEPT].to_csv(DATA / f"comparison-{name}-targets.csv", index=False, float_format="%.4g")
    differences.to_csv(DATA / f"comparison-{name}-differences.csv", index=False, float_format="%.4g")
    FIGURES.mkdir(parents=True, exist_ok=True)
    for figure, entry in config.figures.items():
        if entry.study == name:
            for end in ("png", "txt"):
                shutil.copy(ROOT / f"results/figures/{figure}.{end}", FIGURES / f"{name}-{figure}.{end}")


def with_config(config: Config, rows: Table) -> Table:
    """Rows of a pool with what the configuration says of each attack.

    `most`: queries a point at most; `surrogates`: how many its queries are crafted from.
    """
    said = []
    for attack, setting in zip(rows["attack"], rows["setting"], strict=True):
        if not attack:
            said.append(dict.fromkeys(("reads", "calibrates", "most", "surrogates"), ""))
            continue
        entry, query = config.attacks[attack], config.query_of(attack)
        budget = setting.removeprefix("budget=") if setting.startswith("budget=") else entry.budget
        most = min(query.cost(), float(budget or math.inf))
        most = most if math.isinf(most) else int(most)
        of = {"reads": entry.reads, "calibrates": entry.calibrates, "most": most}
        said.append(of | {"surrogates": len(query.surrogate_roles())})
    return rows.assign(**pd.DataFrame(said, index=rows.index))


def cpu_of_attack(config: Config, name: str, attack: str) -> float:
    """CPU seconds of an attack on one target and all points of its pool, by the workflow's own benchmarks.

    The models of the pool and surrogates are there. What all targets share counts in parts. What an attack shares with
    others counts whole: all that its query set asks, and models that are trained on labels of a target, where it needs
    them. NaN of an attack on the first queries of a larger budget.
    """
    study, entry, query = config.studies[name], config.attacks[attack], config.query_of(attack)
    if entry.budget:
        return float("nan")
    (cell,) = cells(study)
    wanted = [(stage, entry.reads) for stage in ASKED] + [("scores", attack)]
    if entry.needs_relabelled:
        trained = [("models", role) for role in query.relabelled_roles()]
        wanted += [("splits", "relabelled"), *trained, ("relabelled", entry.reads)]
    folder = ROOT / "results/benchmarks"
    files = [file for stage, of in wanted for file in (folder / stage / name / cell).rglob(f"{of}.tsv")]
    return cpu_seconds(files) / len(study.models())


def filled(page: str) -> str:
    """The text of the page with the tables of all pools that are kept. Raises ValueError where one has no place."""
    for file in sorted(DATA.glob("comparison-*-differences.csv")):
        name = file.stem.removeprefix("comparison-").removesuffix("-differences")
        start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        if page.count(start) != 1 or page.count(end) != 1:
            raise ValueError(f"docs/comparison.md: expected {start} and {end} once each; write both for its tables")
        tables = "\n\n".join(part.strip() for part in of_pool(name))
        page = page.partition(start)[0] + f"{start}\n\n{tables}\n\n{end}" + page.partition(end)[2]
    return page


def kept_rows(name: str) -> Table:
    """Rows over all models of a pool, of its attacks and, with no attack, of its models."""
    numbers = {column: [""] for column in ("value", "queries", "most", *ELSEWHERE)}
    rows = pd.read_csv(DATA / f"comparison-{name}.csv", keep_default_na=False, na_values=numbers)
    return rows.assign(calibrates=rows["calibrates"].astype(str).eq("True"))


def models_of(name: str) -> int:
    """Of how many models a pool is."""
    return len(set(pd.read_csv(DATA / f"comparison-{name}-targets.csv")["seed"]))


def of_pool(name: str) -> Iterator[str]:
    """The parts of a pool's section."""
    rows = kept_rows(name)
    models, attacks = rows.loc[rows["attack"].eq("")].set_index("metric")["value"], rows.loc[rows["attack"].ne("")]
    train, test = (100 * models[f"{part}_accuracy"] for part in ("train", "test"))
    yield f"Models label {train:.1f} % of their members rightly, and {test:.1f} % of their non-members."
    each = models_of(name) // 2 - 1
    yield f"Beside a target, {each} models were trained on a point, and {each} were not; offline rules use these alone."
    yield "Members found, in %, with 95 % intervals over models and points:"
    columns = ["attack", "access", "queries", "accuracy", "AUC", *RATES.values(), "of a target"]
    yield to_markdown(main_rows(attacks, name), columns)
    for most in QUERY_LIMITS:
        yield f"By labels, with at most {most} queries a point, the most found at 1 % first, whatever models it takes:"
        yield to_markdown(rows_within(attacks, most), ["attack", "setting", "queries", "AUC", *RATES.values()])
    yield "TPR at 1 % with the first shadows alone:"
    shadows = shadow_rows(attacks)
    yield to_markdown(shadows, list(shadows))
    spent = [head for column, head in ELSEWHERE.items() if column in attacks and attacks[column].any()]
    if spent:
        yield "What each attack spends:"
        yield to_markdown(spent_rows(attacks), ["attack", "queries", *spent])
    yield "By how many points calibration is above the plain attack on the same answers, and above confidences:"
    yield to_markdown(difference_rows(attacks, name), ["attack", "against", "AUC", *RATES.values()])
    yield (
        "Rates that thresholds reach on the target which the other models give, for two false-positive rates.\n"
        "PPV is the share of members among those that are called members, by the share of members among all points.\n"
        "It is left out where no false alarm was counted."
    )
    for rate in ("0.01", "0.001"):
        table = transferred_rows(attacks, rate)
        yield to_markdown(table, [str(table.columns[0]), "FPR", "TPR", *PRIORS.values()])
    files = sorted(FIGURES.glob(f"{name}-*.png"))
    yield "\n\n".join(f"![{file.stem}](figures/comparison/{file.name})\n\n{caption(file)}".strip() for file in files)
    kept = {"All rows": "", "each target's": "-targets", "all differences": "-differences"}
    yield ", ".join(f"[{what}](results/data/comparison-{name}{end}.csv)" for what, end in kept.items()) + "."


def caption(picture: Path) -> str:
    """The lines of a figure's caption, "" where none is kept."""
    file = picture.with_suffix(".txt")
    return file.read_text() if file.exists() else ""


def shown(row: Any, flags: str = "") -> str:
    """A rate in % with its interval, or "tied" where no threshold has so few false alarms."""
    if "tied at the top" in flags:
        return "tied"
    if pd.isna(row["value"]):
        return "not resolvable"
    few = " (few)" * ("false alarms" in flags) + " (ties)" * ("tied at the threshold" in flags)
    value, low, high = (100 * float(row[name]) for name in ("value", "ci_low", "ci_high"))
    return f"{value:.1f} [{low:.1f}, {high:.1f}]{few}"


def by_metric(rows: Table, columns: dict[str, str]) -> dict[str, str]:
    """What a table shows of the metrics of one attack in one setting; columns: metric -> heading."""
    found = rows.set_index("metric")
    return {heading: shown(found.loc[metric], found.loc[metric, "flags"]) for metric, heading in columns.items()}


def settings_of(rows: Table) -> Iterator[tuple[dict[str, Any], Table]]:
    for _, group in rows.groupby(["attack", "setting"], sort=False):
        first = group.iloc[0]
        same = {"attack": first["attack"], "setting": first["setting"], "queries": first["queries"]}
        yield same | {"access": "labels" if first["access"] == "label" else "confidences"}, group


def main_rows(rows: Table, name: str) -> Table:
    """One row per attack; "of a target" is the range of TPRs at 1 % that nine in ten targets lie in."""
    targets = pd.read_csv(DATA / f"comparison-{name}-targets.csv")
    targets = targets.loc[targets["metric"].eq("tpr_at_0.01_fpr")].groupby("attack")["value"]
    spread = {attack: "{:.1f} to {:.1f}".format(*(100 * of.quantile([0.05, 0.95]))) for attack, of in targets}
    found = [
        same | by_metric(group, {"accuracy": "accuracy", "auc": "AUC"} | RATES)
        for same, group in settings_of(rows.loc[rows["setting"].eq("")])
    ]
    for row in found:
        row["of a target"] = "tied" if row[RATES["tpr_at_0.01_fpr"]] == "tied" else spread[row["attack"]]
    return pd.DataFrame(found)


def rows_within(rows: Table, most: float) -> Table:
    """Of each attack on labels the setting with the most queries a point, of those that ask no more than `most`."""
    counted = rows["setting"].eq("") | rows["setting"].str.startswith("budget=")
    chosen = rows.loc[rows["access"].eq("label") & counted & rows["most"].le(most)]
    widest = chosen.groupby("attack")["most"].transform("max")
    chosen = chosen.loc[chosen["most"].eq(widest)].drop_duplicates(["attack", "metric"])
    found = [(same | by_metric(group, {"auc": "AUC"} | RATES), rank(group)) for same, group in settings_of(chosen)]
    return pd.DataFrame([row for row, _ in sorted(found, key=lambda pair: pair[1], reverse=True)])


def rank(rows: Table) -> tuple[float, float]:
    """By what settings are sorted: TPR at 1 %, where no threshold has so few false alarms -1, and AUC."""
    found = rows.set_index("metric")
    rate = found.loc["tpr_at_0.01_fpr"]
    is_tied = "tied at the top" in str(rate["flags"]) or pd.isna(rate["value"])
    return -1.0 if is_tied else float(rate["value"]), float(found.loc["auc", "value"])


def shadow_rows(rows: Table) -> Table:
    """TPR at 1 %, one row per attack that was judged beside fewer models too, one column per number of these."""
    rates = rows.loc[rows["metric"].eq("tpr_at_0.01_fpr")]
    counted = rates["setting"].str.startswith("shadows=")
    numbers = sorted({int(setting.removeprefix("shadows=")) for setting in rates.loc[counted, "setting"]})
    found = []
    for attack in rates.loc[counted, "attack"].unique():
        of = rates.loc[rates["attack"].eq(attack)].set_index("setting")
        settings = {str(number): f"shadows={number}" for number in numbers} | {"all": ""}
        cells = {head: shown(of.loc[at], of.loc[at, "flags"]) for head, at in settings.items() if at in of.index}
        found.append({"attack": attack} | dict.fromkeys(settings, "") | cells)
    return pd.DataFrame(found)


def spent_rows(rows: Table) -> Table:
    """What each attack asks, trains and computes, one row per attack."""
    first = rows.loc[rows["setting"].eq("")].drop_duplicates("attack")
    found = pd.DataFrame({"attack": first["attack"], "queries": first["queries"]})
    for column, head in ELSEWHERE.items():
        if column in first:
            found[head] = [_spent(value) for value in first[column]]
    return found


def _spent(number: float) -> str:
    """A number with two digits, or all of them where it is whole or large; "" where there is none."""
    return "" if pd.isna(number) else f"{number:,.0f}" if number >= 100 or number.is_integer() else f"{number:.2g}"


def difference_rows(rows: Table, name: str) -> Table:
    """Calibrated attacks against plain ones on the same answers, and those by labels against LiRA on confidences."""
    about = rows.drop_duplicates("attack").set_index("attack")[["reads", "calibrates", "access"]]
    table = pd.read_csv(DATA / f"comparison-{name}-differences.csv")
    columns, found = {"auc": "AUC"} | RATES, []
    for one, other in permutations(about.index, 2):
        this, that = about.loc[one], about.loc[other]
        plain = this["reads"] == that["reads"] and not that["calibrates"]
        by_labels = this["access"] == "label" and other == "confidence-lira"
        if this["calibrates"] and (plain or by_labels):
            group = between(table, one, other)
            rates = {
                head: shown(group.loc[metric], str(group.loc[metric, "flags"])) for metric, head in columns.items()
            }
            found.append({"attack": one, "against": other} | rates)
    return pd.DataFrame(found)


def between(table: Table, one: str, other: str) -> Table:
    """By how much one attack is above another, by metric; the table has each pair once, in the order of attacks."""
    group = table.loc[table["attack"].eq(one) & table["against"].eq(other)]
    if len(group):
        return group.set_index("metric")
    turned = table.loc[table["attack"].eq(other) & table["against"].eq(one)]
    signs = {"value": -turned["value"], "ci_low": -turned["ci_high"], "ci_high": -turned["ci_low"]}
    return turned.assign(**signs).set_index("metric")


def transferred_rows(rows: Table, rate: str) -> Table:
    """One row per attack: what the other models' thresholds for a false-positive rate come to."""
    columns = {f"transferred_{what}_at_{rate}_fpr": what.upper() for what in ("fpr", "tpr")}
    columns |= {f"ppv_at_{rate}_fpr_prior_{prior}": heading for prior, heading in PRIORS.items()}
    told = rows.loc[rows["metric"].isin([*columns])]
    few = " (few)" * bool(told["flags"].astype(str).str.contains(FEW).any())  # as many are allowed for all attacks
    head, found = f"attack, at {100 * float(rate):g} %{few}", []
    for same, group in settings_of(rows.loc[rows["setting"].eq("")]):
        value = group.set_index("metric")["value"]
        shares = {name: 100 * float(value[metric]) for metric, name in columns.items()}
        if shares["FPR"] == 0:  # no find was false, of which the next one may be
            shares |= dict.fromkeys(PRIORS.values(), float("nan"))
        found.append({head: same["attack"]} | shares)
    return pd.DataFrame(found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", help="configuration files")
    main(**vars(parser.parse_args()))
