"""How many seeds decide the open claims of a finished table or figure, and what they cost on this machine.

Run from the repository root, with the files that were given to Snakemake's --configfile:
python -m workflow.tools.power figure_1 figure_2 --configfile docs/results/configs/paper.yaml

A claim is open where its interval leaves it open, or where one pair of models says nothing of others. The number is of
all seeds, at the present number of points, that decide it with a chance of 80 %, if the margin is what was found and
seeds spread as they did. CPU hours are of the seeds that are missing: all that was run on these models so far, by the
workflow's own benchmark files. Two columns say what more points could change: `sd` of a seed's margin, and the part of
it that is due to points alone.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from lmia.evaluation.claims import ONE_PAIR, UNRESOLVED, judge, load_decisions, read_margins, says
from lmia.evaluation.intervals import LEVEL
from lmia.evaluation.paper_comparison import to_markdown
from lmia.streams import seed_list
from workflow.config.exhibit_inputs import exhibit_claims
from workflow.config.load import load
from workflow.config.result_files import trained_cell
from workflow.config.schema.configuration import Config
from workflow.tools.cpu_time import cpu_seconds

POWER = 0.8
MAX_SEEDS = 200  # seeds; a claim that needs more has its margin on its threshold
SPREAD = 1.4  # of one seed to another, in standard errors of its points: as models of CNNs had it
QUADRATURE = 500
NORMAL = float(special.ndtri((1 + LEVEL) / 2))
COLUMNS = ["claim", "metric", "margin", "seeds", "points", "sd", "sd of points", "seeds needed", "CPU h"]

Region = tuple[float, float]


def decides(margin: float, bounds: tuple[float, float | None]) -> Region:
    """Where an interval must lie so that a claim is decided as its true margin has it: within the bounds, or without.

    margin, and bounds as `Claim.bounds` has them: in points.
    """
    least, most = bounds
    if margin < least:
        return -np.inf, least
    if most is None:
        return least, np.inf
    return (least, most) if margin <= most else (most, np.inf)


def chance_to_decide(margin: float, sd: float, of_points: float, n: int, region: Region) -> float:
    """Chance that the interval over n seeds (`intervals.over_seeds`) lies in a region.

    Args:
        margin: True mean of the seeds' margins.
        sd: Standard deviation of a seed's margin, > 0.
        of_points: The part of it that is due to points, which the interval knows of each seed.
        n: Seeds, >= 2.
        region: Its two ends.
    """
    chances = (np.arange(QUADRATURE) + 0.5) / QUADRATURE
    found = sd * np.sqrt(2 * special.gammaincinv((n - 1) / 2, chances) / (n - 1))  # as samples of n spread
    reach = np.maximum(special.stdtrit(n - 1, (1 + LEVEL) / 2) * found, NORMAL * of_points) / np.sqrt(n)
    low, high = (special.ndtr((end - margin) / (sd / np.sqrt(n))) for end in (region[0] + reach, region[1] - reach))
    return float(np.mean(np.maximum(high - low, 0)))


def seeds_needed(margin: float, sd: float, of_points: float, bounds: tuple[float, float | None]) -> int | None:
    """The fewest seeds that decide a claim with a chance of POWER, None where MAX_SEEDS do not."""
    region = decides(margin, bounds)
    numbers = range(2, MAX_SEEDS + 1)
    return next((n for n in numbers if chance_to_decide(margin, sd, of_points, n, region) >= POWER), None)


def spread(intervals: Sequence[tuple[float, float, float]] | np.ndarray) -> tuple[float, float]:
    """(sd of a seed's margin, part of it that is due to points), from the seeds' values with their intervals (n, 3).

    Seeds spread at least as much as their points. How much one alone would is not known: SPREAD times that.
    """
    values, lows, highs = np.array(intervals).T
    of_points = float(np.sqrt(np.mean((highs - lows) ** 2))) / 2 / NORMAL
    return (max(float(values.std(ddof=1)), of_points) if len(values) > 1 else SPREAD * of_points), of_points


def cpu_hours(benchmarks: Path, config: Config, side: Mapping[str, Any]) -> dict[str, float]:
    """Models of a side of a claim -> CPU hours of all that was run on one seed of them, NaN where nothing tells."""
    found = {}
    for path in side["scores"][:1]:  # none of chance
        study, cell = Path(path).parts[2:4]
        n_seeds = sum(len(seed_list(str(block))) for block in config.studies[study].seeds)
        for name in dict.fromkeys([trained_cell(config, cell), cell]):
            files = [file for folder in benchmarks.glob(f"*/{study}/{name}") for file in folder.rglob("*.tsv")]
            found[f"{study}/{name}"] = cpu_seconds(files) / n_seeds / 3600 if files else np.nan
    return found


def plan(config: Config, exhibit: str, results: Path = Path("results")) -> tuple[pd.DataFrame, dict[str, float]]:
    """(one row of COLUMNS for each open claim, models -> CPU hours of all seeds that they miss for these)."""
    margins = read_margins(results / f"exhibits/{exhibit}/margins.csv")
    rows, missing = [], {}
    for claim in exhibit_claims(config, exhibit):
        of_seeds: Any = margins[margins["claim"].eq(claim["claim"]) & margins["metric"].eq(claim["metric"])]
        row = judge(of_seeds, claim["bounds"])
        if row["verdict"] not in (UNRESOLVED, ONE_PAIR):
            continue
        points = len(load_decisions(claim["sides"][0])[0].scores)
        shown = {name: claim[name] for name in ("claim", "metric")} | {name: row[name] for name in ("margin", "seeds")}
        shown |= {"points": points}
        by_interval = says(claim["bounds"], row["ci_low"], row["ci_high"])
        if of_seeds["finding"].eq(UNRESOLVED).any() or (row["verdict"] == UNRESOLVED != by_interval):
            rows.append(shown | {"seeds needed": f"no number: {row['flags']}"})
            continue
        sd, of_points = spread(of_seeds[["margin", "ci_low", "ci_high"]].to_numpy(float))
        shown |= {"sd": sd, "sd of points": of_points}
        needed = seeds_needed(row["margin"], sd, of_points, claim["bounds"]) if sd else None
        if needed is None:
            rows.append(shown | {"seeds needed": "no number: the margin lies on its threshold"})
            continue
        hours: dict[str, float] = {}
        for side in claim["sides"]:
            hours |= cpu_hours(results / "benchmarks", config, side)
        more = max(needed - row["seeds"], 0)
        rows.append(shown | {"seeds needed": str(needed), "CPU h": more * sum(hours.values())})
        missing |= {name: max(missing.get(name, 0.0), more * cost) for name, cost in hours.items()}
    return pd.DataFrame(rows, columns=COLUMNS), missing


def main(exhibits: Sequence[str], files: Sequence[str], results: Path = Path("results")) -> None:
    config = load(*files)
    missing: dict[str, float] = {}
    for exhibit in exhibits:
        rows, hours = plan(config, exhibit, results)
        print(f"# {exhibit}: {len(rows)} open claims\n\n{to_markdown(rows, COLUMNS) if len(rows) else ''}")
        missing |= {name: max(missing.get(name, 0.0), cost) for name, cost in hours.items()}
    print(f"All that have a number: {sum(missing.values()):.1f} CPU hours.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("exhibits", nargs="+", help="names of finished tables and figures")
    parser.add_argument("--configfile", dest="files", nargs="+", default=[], help="configuration files")
    main(**vars(parser.parse_args()))
