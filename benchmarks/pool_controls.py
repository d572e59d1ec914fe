"""What finds nothing in a pool, as it should: attacks that were told other members, and a classifier of the inputs.

Run from the repository root after the study is done, with the files that were given to Snakemake's --configfile:
python benchmarks/pool_controls.py config/comparison-small.yaml
95 % intervals should hold an AUC of 0.5, and a true-positive rate that equals the false-positive rate, 95 times in 100.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lmia import artifacts, plugins  # noqa: E402
from lmia.attacks.observation_files import join_blocks, load_observations  # noqa: E402
from lmia.attacks.observations import OBSERVATIONS  # noqa: E402
from lmia.calibration.scoring import score_targets  # noqa: E402
from lmia.evaluation.flags import rate_flags  # noqa: E402
from lmia.evaluation.pooled import measure  # noqa: E402
from lmia.membership import load_pool_membership  # noqa: E402
from lmia.splits import draw_pool  # noqa: E402
from lmia.streams import seed_list, stream  # noqa: E402
from workflow.config.load import load  # noqa: E402

TABLE = Path(__file__).parent / "results/pool_controls.csv"
DRAWS, OTHER_COINS = 10, 10**6  # of coins that no model was trained by, and their pools' first number
FPR, RESAMPLES = 0.01, 200
TRUE = {"auc": 0.5, f"tpr_at_{FPR:g}_fpr": FPR}


def told_others(config, study, where, n):
    """(attack, (scores, said membership) of each draw) where members are said to be those of other coins."""
    blocks = [seed_list(block) for block in study.seeds]
    pools = [draw_pool(study.models(), n, OTHER_COINS + draw) for draw in range(DRAWS)]
    for name in tqdm(config.attacks_of(study), desc="attacks"):
        attack, query = config.attacks[name], config.query_of(name)
        folder = OBSERVATIONS[query.observation].folder
        paths = [f"results/{folder}/{where}/{block}/target/{attack.reads}.npz" for block in study.seeds]
        known = join_blocks([load_observations(path, query.observation) for path in paths], blocks)
        make = plugins.bind(attack.package, attack.target, {"kind": attack.kind, **attack.options()})
        found = []
        for is_member in pools:
            given = (known, range(len(is_member)), known.per_seed, is_member, attack.budget, (), ())
            found.append((score_targets(make, *given)["scores"][:, 0], is_member))
        yield name, found


def of_inputs(inputs, is_member, seed):
    """Scores (K, N) of a classifier that is told half of the members and sees inputs alone, cross-fitted."""
    rows = inputs.reshape(len(inputs), -1)
    classifier = make_pipeline(StandardScaler(), PCA(min(50, rows.shape[1])), LogisticRegression(max_iter=1000))
    order = stream(seed, "folds of a blind classifier").permutation(len(rows))
    fit = partial(cross_val_predict, classifier, rows[order], cv=2, method="decision_function")
    return np.stack([fit(y=bits[order]) for bits in tqdm(is_member, desc="models")])[:, np.argsort(order)]


def audited(config, study, where):
    """(inputs (N, *shape), membership (K, N)) of what a pool audits."""
    reads = config.attacks[config.attacks_of(study)[0]].reads
    folder = OBSERVATIONS[config.queries[reads].observation].folder
    ids = artifacts.load(f"results/{folder}/{where}/{study.seeds[0]}/target/{reads}.npz")[0]["example_ids"][0]
    blocks = [seed_list(block) for block in study.seeds]
    splits = [f"results/splits/{where}/{block}/target.npz" for block in study.seeds]
    inputs = artifacts.load(f"results/data/{study.dataset}.npz", "dataset")[0]["inputs"][ids]
    return inputs, load_pool_membership(splits, blocks, ids)


def rows_of(config, name, study):
    """One row per control, attack and metric: the mean over draws, and how many intervals hold what is true."""
    where = f"{name}/n{study.n_train[0]}-{study.defenses[0]}"
    inputs, is_member = audited(config, study, where)
    controls = [("inputs alone", "classifier", [(of_inputs(inputs, is_member, study.pool_number()), is_member)])]
    controls += [("told others", *found) for found in told_others(config, study, where, len(inputs))]
    for control, attack, found in controls:
        drawn = [measure(scores, known, [FPR], RESAMPLES, number) for number, (scores, known) in enumerate(found)]
        tied = any("tied at the top" in rate_flags(scores, known, FPR) for scores, known in found)
        for metric, truth in TRUE.items():
            intervals = [measured[metric].interval() for measured in drawn]
            same = {"study": name, "control": control, "attack": attack, "metric": metric, "true": truth}
            if tied and metric != "auc":
                yield same | {"mean": "tied"}
                continue
            hold = sum(low <= truth <= high for _, low, high in intervals)
            mean, low, high = (round(float(np.mean([of[place] for of in intervals])), 4) for place in range(3))
            yield same | {"mean": mean, "mean_low": low, "mean_high": high, "intervals": len(intervals), "hold": hold}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("configfile", nargs="+")
    options = parser.parse_args()
    config = load(*options.configfile)
    pools = {name: study for name, study in config.studies.items() if study.is_pool}
    table = pd.DataFrame([row for name, study in pools.items() for row in rows_of(config, name, study)])
    table.to_csv(TABLE, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
