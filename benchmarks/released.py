"""Attacks as others released them, beside ours, on the same models: AUC, accuracy, queries and CPU seconds.

python benchmarks/released.py --code FOLDER --out DIR [--only NAME ...] [--small]

FOLDER holds clones of the repositories, each in a folder of the repository's name; ART comes from its package. Their
functions run as they stand, outside this repository. Tables are written to DIR as attacks end: released.csv and, with
what could not be run and why, released.md. All is run in one thread.
"""

import argparse
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy is imported

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import torch  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from released_attacks import ART, ATTACKS  # noqa: E402
from released_code import Clone  # noqa: E402
from released_pool import Beside, Pool, Sizes  # noqa: E402

from lmia.evaluation.metrics import auc  # noqa: E402
from lmia.evaluation.pooled import difference, measure_alike  # noqa: E402

SMALL = Sizes(models=16, examples=100, asked=64, targets=6)
RESAMPLES, RATE = 200, 0.01
TPR = f"tpr_at_{RATE:g}_fpr"
INSTALL = "pip install adversarial-robustness-toolbox==1.20.1"
NOT_RUN = {  # repository, and part: (commit, why)
    "zhenglisec/Label-Only-MIA": (
        "af3e814",
        "its boundary attack is ART's HopSkipJump, which is above, for colour images of fixed sizes on a GPU alone",
    ),
    "AndAgio/mia_bench": ("375673b", "only single files of it could be read, and none run"),
    "orientino/lira-pytorch": ("50dc2a3", "its rules are a copy of those of tensorflow/privacy, which are above"),
    "aidotse/LeakPro, YOQO": (
        "c47752f",
        "by default it makes one step of rate 0.001, and so asks nearly the input itself",
    ),
    "AIPAG/DHAttack, local models and score": (
        "dfe399c",
        "both stand in its program's main part, for networks of its own on 32 x 32 images; path and distance are above",
    ),
    "harshch1803/CHAMELEON": ("68fda35", "it poisons the training set, which is another threat"),
}


def row(beside: Beside, source: str, resamples: int = RESAMPLES) -> dict:
    """One row of the table. Differences are ours less theirs, with 95 % intervals over pairs of models and points."""
    theirs, ours, bits = beside.theirs, beside.ours, beside.is_member
    decides = theirs.thresholds is not None and ours.thresholds is not None
    sides = [(of.scores, of.thresholds if decides else None) for of in (theirs, ours)]
    of_theirs, of_ours = measure_alike(sides, bits, [RATE], resamples)
    found = {"attack": beside.attack, "released": beside.their_name, "code": f"{beside.repository} {source}"}
    found |= {"ours": beside.our_name, "targets": len(bits), "points": bits.shape[1]}
    found |= {"queries": theirs.queries, "our_queries": ours.queries}
    for name, metric in (("auc", "auc"), ("accuracy", "accuracy"), ("tpr_1", TPR)):
        both = [of[metric].value if metric in of else np.nan for of in (of_theirs, of_ours)]
        between = difference(of_ours[metric], of_theirs[metric]) if metric in of_ours else (np.nan,) * 3
        found |= dict(zip((name, f"our_{name}"), both, strict=True))
        found |= dict(zip((f"{name}_difference", f"{name}_low", f"{name}_high"), between, strict=True))
    ratios = theirs.seconds / np.maximum(ours.seconds, 1e-9)
    found |= {"cpu_s": theirs.seconds.sum(), "our_cpu_s": ours.seconds.sum()}
    found |= {"times_as_fast": np.median(ratios), "times_low": ratios.min(), "times_high": ratios.max()}
    by_target = [(theirs.own(*of), auc(*of)) for of in zip(theirs.scores, bits, strict=True)] if theirs.own else []
    of_targets = np.mean(by_target, axis=0) if by_target else (np.nan, np.nan)
    return found | dict(zip(("auc_own_metric", "auc_same_targets"), of_targets, strict=True))


def verdict(found: dict) -> str:
    """Where ours stands, by the interval of the difference in AUC."""
    if found["auc_low"] > 0:
        return "above"
    return "below" if found["auc_high"] < 0 else "level"


def page(table: pd.DataFrame, sizes: Sizes, command: str) -> str:
    """The table in words that a reader needs first, as Markdown."""
    from comparison import machine, markdown

    shown = pd.DataFrame(
        {
            "attack": table["attack"],
            "released": table["released"],
            "ours": table["ours"],
            "queries": [f"{a:,.0f} / {b:,.0f}" for a, b in table[["queries", "our_queries"]].to_numpy()],
            "AUC": [f"{a:.3f} / {b:.3f}" for a, b in table[["auc", "our_auc"]].to_numpy()],
            "ours less theirs": _intervals(table, "auc"),
            "ours is": [verdict(found) for found in table.to_dict("records")],
            "accuracy": _intervals(table, "accuracy"),
            "TPR at 1 %": _intervals(table, "tpr_1"),
            "times as fast": [
                f"{middle:.3g} [{low:.3g}, {high:.3g}]"
                for middle, low, high in table[["times_as_fast", "times_low", "times_high"]].to_numpy()
            ],
        }
    )
    own = table.dropna(subset=["auc_own_metric"])[["attack", "released", "auc_own_metric", "auc_same_targets"]]
    own = own.drop_duplicates()
    codes = "\n".join(f"- {code}" for code in dict.fromkeys(table["code"]))
    missing = "\n".join(f"- {name}, {commit}: {why}." for name, (commit, why) in NOT_RUN.items())
    return f"""# Released attacks beside ours

{machine(torch.device("cpu"), ["torch", "numpy", "scikit-learn"])}

`{command}`

- {sizes.models} networks of digits with pixel noise share {sizes.examples} examples, half of which each knows.
- Each is the target of the others but its partner.
- What takes seconds a point is asked about {sizes.asked} of them, and boundary searches of {sizes.targets} targets.
- "a / b" are theirs and ours.
- Differences are ours less theirs, with 95 % intervals over pairs of models and points.
- "Times as fast" is theirs over ours in CPU seconds of parts of the work that took turns: median, least and greatest.
  YOQO that is not clipped ran after theirs, and not in turns.

{markdown(shown)}

AUC by their own metric, and by ours, of their scores, as means over targets:

{markdown(own.rename(columns={"auc_own_metric": "by their metric", "auc_same_targets": "by ours"}).round(4))}

Codes:

{codes}

Not run:

{missing}
"""


def _intervals(table: pd.DataFrame, name: str) -> list[str]:
    columns = [f"{name}_difference", f"{name}_low", f"{name}_high"]
    return [
        "" if np.isnan(middle) else f"{middle:+.3f} [{low:+.3f}, {high:+.3f}]"
        for middle, low, high in table[columns].to_numpy()
    ]


def find(code: Path, repository: str) -> tuple[Clone, str]:
    """A clone and its commit, or ART and its version. Raises FileNotFoundError with a line that says what to do."""
    if repository != ART:
        clone = Clone.find(code, repository)
        return clone, clone.commit()
    try:
        return Clone(code, repository), version("adversarial-robustness-toolbox")
    except PackageNotFoundError:
        raise FileNotFoundError(f"ART is not installed; run {INSTALL}, or leave it out by --only") from None


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--code", type=Path, required=True, help="folder of clones")
    parser.add_argument("--out", type=Path, required=True, help="folder for the tables")
    parser.add_argument("--only", nargs="+", choices=ATTACKS, default=list(ATTACKS), help="which attacks to run")
    parser.add_argument("--small", action="store_true", help="a small pool, to see whether all runs")
    options = parser.parse_args(arguments)
    try:
        found = {name: find(options.code, ATTACKS[name][1]) for name in options.only}
    except FileNotFoundError as error:
        parser.exit(1, f"{error}\n")
    torch.set_num_threads(1)
    sizes = SMALL if options.small else Sizes()
    pool = Pool(sizes)
    command = "python benchmarks/released.py --code FOLDER --out benchmarks/results"
    command += " --small" * options.small
    if len(options.only) < len(ATTACKS):
        command += f" --only {' '.join(options.only)}"
    rows = []
    for name, (clone, source) in found.items():
        for beside in ATTACKS[name][0](clone, pool):
            rows.append(row(beside, source))
            table = pd.DataFrame(rows)
            table.to_csv(options.out / "released.csv", index=False, float_format="%.6g")
            print(table.iloc[-1].dropna().to_dict(), flush=True)
    (options.out / "released.md").write_text(page(pd.DataFrame(rows), sizes, command))


if __name__ == "__main__":
    main()
