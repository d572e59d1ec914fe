"""Files for the audit of a forest on people: `python benchmarks/people.py FOLDER [ADULT]`, then the command it prints.

A random forest learns from 5,000 people of Adult whose rows are as they are, and 1,000 of these and 1,000 others are
known. ADULT: a folder with adult.data and adult.test; default: fetched.
"""

import hashlib
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import yaml
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lmia.data import adult, archives  # noqa: E402

N_TRAIN, N_KNOWN = 5000, 1000


def read(originals: str | None) -> pd.DataFrame:
    """People as rows of numbers and texts, the label "income" last. originals: see above, None for fetched ones."""
    files = archives.originals(adult.URL, adult.HASHES, originals)
    rows = [row for file in files for row in adult.parse_rows(file.read_text("utf-8"), file)]
    people = pd.DataFrame(rows, columns=list(adult.COLUMNS)).astype(
        {name: int for name, kind in adult.COLUMNS.items() if kind is float}
    )
    return people.assign(income=people["income"].str.rstrip("."))


def pipeline(n_trees: int, **options: int):
    """A forest on such rows. options: of it."""
    texts = [name for name, kind in adult.COLUMNS.items() if kind is str and name != "income"]
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), texts), remainder="passthrough")
    return make_pipeline(encode, RandomForestClassifier(n_trees, random_state=0, **options))


def main(folder: str, originals: str | None = None) -> None:
    place, people = Path(folder), read(originals)
    place.mkdir(parents=True, exist_ok=True)
    order = np.random.default_rng(0).permutation(len(people))
    trained, others = order[:N_TRAIN], order[N_TRAIN : N_TRAIN + N_KNOWN]
    forest = pipeline(100)
    forest.fit(people.drop(columns="income").iloc[trained], people["income"].iloc[trained])
    joblib.dump(forest, place / "forest.joblib", compress=3)
    known = np.full(len(people), "", object)
    known[trained[:N_KNOWN]], known[others] = "1", "0"
    people.assign(in_training=known).to_csv(place / "people.csv", index=False)
    table = {"kind": "csv", "path": "people.csv", "label": "income", "membership": "in_training"}
    trust = hashlib.sha256((place / "forest.joblib").read_bytes()).hexdigest()
    study = {"dataset": "people", "model": "forest", "splits": "given", "n_train": [N_TRAIN], "seeds": [0]}
    config = {
        "datasets": {"people": table | {"groups": ["income", "sex"]}},
        "targets": {"forest": {"kind": "sklearn", "file": "forest.joblib", "trust": trust}},
        "studies": {"people": study},
    }
    (place / "audit.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    print(f"snakemake --cores 2 audit --configfile {place / 'audit.yaml'}")


if __name__ == "__main__":
    main(*sys.argv[1:])
