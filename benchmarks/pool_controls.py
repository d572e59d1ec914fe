"""What finds nothing in a pool, as it should: attacks that were told other members, and a classifier of the inputs.

Run from the repository root after the study is done, with the files that were given to Snakemake's --configfile:
python benchmarks/pool_controls.py config/comparison-small.yaml
Every AUC should be near 0.5, and every true-positive rate near its false-positive rate.
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
from lmia.evaluation.pooled import measure_alike  # noqa: E402
from lmia.membership import load_membership  # noqa: E402
from lmia.splits import draw_pool  # noqa: E402
from lmia.streams import seed_list, stream  # noqa: E402
from workflow.config.load import check, read_layers  # noqa: E402

TABLE = Path(__file__).parent / "results/pool_controls.csv"
OTHER_COINS = 10**6  # added to the number of a pool: coins that no model was trained by


def shuffled(config, study, where, n):
    """Attack -> scores (K, N) where members are those of other coins: nothing is to be found of these."""
    blocks = [seed_list(block) for block in study.seeds]
    is_member = draw_pool(study.models(), n, OTHER_COINS + study.pool_number())
    found = {}
    for name in tqdm(config.attacks_of(study), desc="attacks"):
        attack, query = config.attacks[name], config.query_of(name)
        folder = OBSERVATIONS[query.observation].folder
        paths = [f"results/{folder}/{where}/{block}/target/{attack.reads}.npz" for block in study.seeds]
        known = join_blocks([load_observations(path, query.observation) for path in paths], blocks)
        make = plugins.bind(attack.package, attack.target, {"kind": attack.kind, **attack.options()})
        places = range(len(is_member))
        found[name] = score_targets(make, known, places, known.per_seed, is_member, attack.budget, (), ())["scores"][
            :, 0
        ]
    return found, is_member


def blind(inputs, is_member, seed):
    """Scores (K, N) of a classifier that is told half of the members and sees inputs alone, cross-fitted."""
    rows = inputs.reshape(len(inputs), -1)
    classifier = make_pipeline(StandardScaler(), PCA(min(50, rows.shape[1])), LogisticRegression(max_iter=1000))
    order = stream(seed, "folds of a blind classifier").permutation(len(rows))
    fit = partial(cross_val_predict, classifier, rows[order], cv=2, method="decision_function")
    return np.stack([fit(y=bits[order]) for bits in tqdm(is_member, desc="models")])[:, np.argsort(order)]


def rows_of(config, name, study, resamples):
    where = f"{name}/n{study.n_train[0]}-{study.defenses[0]}"
    splits = [f"results/splits/{where}/{block}/target.npz" for block in study.seeds]
    first = config.attacks[config.attacks_of(study)[0]].reads
    folder = OBSERVATIONS[config.queries[first].observation].folder
    ids = artifacts.load(f"results/{folder}/{where}/{study.seeds[0]}/target/{first}.npz")[0]["example_ids"][0]
    truth = [
        load_membership(path, np.tile(ids, (len(seed_list(block)), 1)))
        for path, block in zip(splits, study.seeds, strict=True)
    ]
    order = np.argsort([seed for block in study.seeds for seed in seed_list(block)])
    inputs = artifacts.load(f"results/data/{study.dataset}.npz", "dataset")[0]["inputs"][ids]
    of_inputs = blind(inputs, np.concatenate(truth)[order], study.pool_number())
    scored, other_bits = shuffled(config, study, where, len(ids))
    sets = [
        ("told other members", scored, other_bits),
        ("inputs alone", {"classifier": of_inputs}, np.concatenate(truth)[order]),
    ]
    for control, scores, is_member in sets:
        found = measure_alike([(of, None) for of in scores.values()], is_member, config.metrics.fprs, resamples)
        for attack, metrics in zip(scores, found, strict=True):
            for metric, measured in metrics.items():
                value, low, high = measured.interval()
                same = {"study": name, "control": control, "attack": attack, "metric": metric}
                yield same | {"value": round(value, 4), "ci_low": round(low, 4), "ci_high": round(high, 4)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("configfile", nargs="+")
    parser.add_argument("--resamples", type=int, default=1000)
    options = parser.parse_args()
    config = check(read_layers(options.configfile)[0])
    rows = []
    for name, study in config.studies.items():
        if study.is_pool:
            rows += rows_of(config, name, study, options.resamples)
    table = pd.DataFrame(rows)
    table.to_csv(TABLE, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
