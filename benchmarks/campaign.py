"""What a configuration asks for before any of it is run: models, queries, CPU hours and storage, for each study.

Jobs are those that run a model. Queries are what `queries:` says with all budgets spent, so an upper bound, as
misclassified examples are not searched. Rates are those of benchmarks/results/ceilings.csv and of
docs/results/paper.md, one thread each; images of every size count as 32 x 32. Run from the repository root:
python benchmarks/campaign.py config/paper-archives.yaml
"""

import csv
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lmia.streams import seed_list  # noqa: E402
from workflow.config.exhibit_inputs import evaluated_points  # noqa: E402
from workflow.config.load import load  # noqa: E402

CEILINGS = Path("benchmarks/results/ceilings.csv")
OUT = Path("benchmarks/results/campaign.csv")
NETWORKS = {"cnn": "cnn", "mlp": "mlp-tabular"}  # kind of model -> its row in CEILINGS
LIKE = {"mixed": "bernoulli", "original": "gaussian", "confidences": "gaussian"}  # not measured alone
GRADIENTS = {"cnn": 600_000 / (6.3 * 60), "mlp": 100_000}  # per CPU s; docs/results/paper.md, "CPU time"; mlp: a guess
EPOCHS = {"cnn": 45, "mlp": 100}  # until the loss stops falling
IMAGES = {"cnn": 500 / 0.707, "mlp": 50_000}  # trained on per CPU s: benchmarks/README.md; docs/results/paper.md
WEIGHTS = {"cnn": 2.2e6, "mlp": 1e5}
COLUMNS = ("study", "models", "jobs", "million queries", "CPU h: train", "ask and search", "longest job", "GB")


def rates():
    """(network, method) -> queries per CPU second."""
    with open(CEILINGS, newline="") as lines:
        return {(row["network"], row["method"]): float(row["queries_per_cpu_second"]) for row in csv.DictReader(lines)}


def seconds_per_query(query, model, measured):
    if query.kind == "white_box":
        return 1 / GRADIENTS[model]
    method = f"HopSkipJump {query.schedule}" if query.kind == "hopskipjump" else LIKE.get(query.kind, query.kind)
    return 1 / measured[NETWORKS[model], method]


def asked(query):
    """(queries per example of all magnitudes, bytes that are kept of their answers)."""
    if query.observation != "labels":
        return query.cost(), 1000  # of a course, of one confidence vector, of one distance: small
    n = query.cost_of_all()
    return n, 4 * n


def row(config, name, measured):
    """One line of the table."""
    study = config.studies[name]
    model = config.model_of(study).kind
    trained = {config.trained_with(defense) for defense in study.defenses}
    queries = {config.attacks[attack].reads for attack in config.attacks_of(study)}
    roles, total = 1 + study.n_shadows, defaultdict(float)
    for n in study.n_train:
        for block in study.seeds:
            seeds = len(seed_list(block))
            train = seeds * n * EPOCHS[model] / IMAGES[model]
            runs = roles * len(trained)
            total["models"] += runs * seeds
            total["train"] += runs * train
            total["longest"] = max(total["longest"], train)
            total["jobs"] += runs
            total["bytes"] += runs * seeds * 4 * WEIGHTS[model]
            for query in queries:
                of = roles * len(study.defenses) if config.queries[query].kind == "confidences" else runs
                per_example, kept = asked(config.queries[query])
                asks = seeds * 2 * evaluated_points(study, n) * per_example
                time = asks * seconds_per_query(config.queries[query], model, measured)
                total["jobs"] += of
                total["queries"] += of * asks
                total["ask"] += of * time
                total["longest"] = max(total["longest"], time)
                total["bytes"] += of * seeds * 2 * evaluated_points(study, n) * kept
    hours = [round(total[key] / 3600, 1) for key in ("train", "ask", "longest")]
    counts = [int(total["models"]), int(total["jobs"]), round(total["queries"] / 1e6)]
    return [name, *counts, *hours, round(total["bytes"] / 1e9, 1)]


def main(file):
    config, measured = load(file), rates()
    rows = [row(config, name, measured) for name in config.studies]
    named = list(zip(COLUMNS, *rows, strict=True))[1:]
    together = [max(column) if name == "longest job" else round(sum(column), 1) for name, *column in named]
    rows.append(["all", *together])
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}")
    for line in rows:
        print(f"| {' | '.join(map(str, line))} |")
    with open(OUT, "w", newline="") as table:
        csv.writer(table, lineterminator="\n").writerows([COLUMNS, *rows])


if __name__ == "__main__":
    main(*sys.argv[1:])
