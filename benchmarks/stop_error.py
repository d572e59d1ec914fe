"""Which decisions stopping early changes, and what accuracy that costs, beside whole searches on the same targets.

Run from the repository root after a study is done that has both attacks:
python benchmarks/stop_error.py digits-mlp --whole boundary --stopped boundary-stopped
With another rate, that of a configuration file: python benchmarks/stop_error.py digits-mlp --configfile stop-0.05.yaml
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lmia import artifacts  # noqa: E402
from lmia.evaluation.paired import decisions, margin  # noqa: E402
from lmia.membership import load_membership  # noqa: E402
from workflow.config.load import check, read_layers  # noqa: E402
from workflow.config.result_files import cells, target_split  # noqa: E402

TABLE = Path(__file__).parent / "results/stop_error.csv"


def load(config, study, attack):
    """The decisions on all seeds' targets of one attack, as it is meant to be run."""
    found = []
    for block in config.studies[study].seeds:
        path = f"results/scores/{study}/{cells(config.studies[study])[0]}/{block}/{attack}.npz"
        scored, _ = artifacts.load(path, "scores")
        found += decisions(scored, load_membership(target_split(config, path), scored["example_ids"]), "")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study")
    parser.add_argument("--whole", default="boundary")
    parser.add_argument("--stopped", default="boundary-stopped")
    parser.add_argument("--configfile", nargs="+", default=[])
    options = parser.parse_args()
    config = check(read_layers(options.configfile)[0])
    whole, stopped = (load(config, options.study, attack) for attack in (options.whole, options.stopped))
    pairs = list(zip(whole, stopped, strict=True))
    changed = [np.mean(one.is_called != other.is_called) for one, other in pairs]
    to_member = [np.mean(~one.is_called & other.is_called) for one, other in pairs]
    cost, low, high = margin(stopped, whole, config.metrics.resamples)
    row = {
        "study": options.study,
        "stop_error": config.queries[config.attacks[options.stopped].reads].stop_error,
        "seeds": len(pairs),
        "points": len(whole[0].scores),
        "changed": np.mean(changed),
        "changed_at_most": np.max(changed),
        "changed_to_member": np.mean(to_member),
        "accuracy": cost,
        "ci_low": low,
        "ci_high": high,
        "queries": np.mean([one.queries for one in stopped]),
        "queries_whole": np.mean([one.queries for one in whole]),
    }
    kept = pd.read_csv(TABLE) if TABLE.exists() else pd.DataFrame()
    if len(kept):
        kept = kept[(kept["study"] != row["study"]) | (kept["stop_error"] != row["stop_error"])]
    table = pd.concat([kept, pd.DataFrame([row])], ignore_index=True).round(5)
    table.to_csv(TABLE, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
