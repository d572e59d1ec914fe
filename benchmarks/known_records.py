"""What thresholds from half of the known records cost beside those of a shadow, on the same targets and answers.

Run from the repository root after the studies are done, with the file that was given to Snakemake's --configfile:
python benchmarks/known_records.py docs/results/configs/known-records.yaml
"""

import argparse
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lmia import artifacts, plugins  # noqa: E402
from lmia.attacks.known_records import halves, run_on_halves  # noqa: E402
from lmia.attacks.observation_files import load_observations  # noqa: E402
from lmia.attacks.observations import OBSERVATIONS  # noqa: E402
from lmia.evaluation.intervals import over_seeds  # noqa: E402
from lmia.evaluation.metrics import at_threshold, auc  # noqa: E402
from lmia.membership import load_membership  # noqa: E402
from lmia.streams import seed_list  # noqa: E402
from workflow.config.load import load  # noqa: E402
from workflow.config.result_files import cells  # noqa: E402

TABLE = Path(__file__).parent / "results/known_records.csv"
METRICS = {"accuracy": lambda scores, bits, threshold: at_threshold(scores, bits, threshold)["accuracy"]}
METRICS["auc"] = lambda scores, bits, threshold: auc(scores, bits)


def results(config, study, where, name):
    """(metric, value with a shadow, value without) of each seed and metric of an attack."""
    attack, observation = config.attacks[name], config.query_of(name).observation
    folder = OBSERVATIONS[observation].folder
    make = partial(plugins.bind(attack.package, attack.target, {"kind": attack.kind, **attack.options()}))
    for block in study.seeds:
        observed = load_observations(f"results/{folder}/{where}/{block}/target/{attack.reads}.npz", observation)
        scored, _ = artifacts.load(f"results/scores/{where}/{block}/{name}.npz", "scores")
        known = load_membership(f"results/splits/{where}/{block}/target.npz", observed.example_ids)
        for row, seed in enumerate(seed_list(block)):
            bits = known[row]
            alone = run_on_halves(make, observed.per_seed[row], bits, halves(bits, seed), observed.unit)[0]
            with_shadow = (scored["scores"][row, 0], bits, scored["thresholds"][row, 0])
            for metric, value in METRICS.items():
                yield metric, value(*with_shadow), value(alone.scores, bits, alone.threshold)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("configfile", nargs="+")
    config = load(*parser.parse_args().configfile)
    rows = []
    for name, study in config.studies.items():
        for attack in config.attacks_of(study):
            found = pd.DataFrame(results(config, study, f"{name}/{cells(study)[0]}", attack))
            for metric, values in found.groupby(0, sort=False):
                same = {"study": name, "attack": attack, "metric": metric, "seeds": len(values)}
                difference = over_seeds([(apart, apart, apart) for apart in values[2] - values[1]])
                shown = zip(("difference", "low", "high"), np.round(difference, 4), strict=True)
                rows.append(
                    same | {"shadow": round(values[1].mean(), 4), "halves": round(values[2].mean(), 4)} | dict(shown)
                )
    table = pd.DataFrame(rows)
    table.to_csv(TABLE, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
