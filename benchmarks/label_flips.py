"""How often a float32 label depends on the batch that its input is asked in, and whether any statistic moves by it.

The queries are those of a search itself: near the boundary, where labels flip if anywhere. Needs a finished default
study. Run from the repository root: python benchmarks/label_flips.py
"""

import sys
from pathlib import Path

import numpy as np
import torch
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lmia import artifacts, plugins  # noqa: E402
from lmia.boundary.search import search_boundary  # noqa: E402
from lmia.evaluation.metrics import at_threshold, auc, best_threshold  # noqa: E402
from lmia.models.checkpoints import restore  # noqa: E402
from lmia.streams import streams  # noqa: E402

torch.set_num_threads(1)
EXAMPLES = 200
BUDGET = 300
BATCHES = (1, 7, 37, 1024)


def load_target(config, name):
    """(model, inputs, classes, ids, is_member, pool) of the target of seed 0, and of points that it is asked about."""
    study = config["studies"][name]
    run = f"{name}/n{study['n_train'][0]}-none/{study['seeds'][0]}"
    data, _ = artifacts.load(f"results/data/{study['dataset']}.npz", "dataset")
    split, _ = artifacts.load(f"results/splits/{run}/target.npz", "split")
    arrays, _ = artifacts.load(f"results/models/{run}/target.npz", "model")
    ids = np.sort(np.concatenate([split["members"][0], split["nonmembers"][0]]))[:EXAMPLES]
    build = plugins.bind("models", "build", config["models"][study["model"]])
    model = restore(build(data["inputs"].shape[1:], 10), arrays, 0).eval()
    inputs, is_member = torch.from_numpy(data["inputs"][ids]), np.isin(ids, split["members"][0])
    others = np.setdiff1d(
        np.arange(len(data["classes"])), np.concatenate([split["members"][0], split["nonmembers"][0]])
    )
    pool = torch.from_numpy(data["inputs"][others]), data["classes"][others]
    return model, inputs, data["classes"][ids], ids, is_member, pool


def search(model, x, y, ids, pool):
    """Final distances (n,)."""
    best = search_boundary(model, x, y, lambda copy: streams(0, f"copy {copy}", ids), budget=BUDGET, pool=pool)[0]
    return best[:, 0, -1]


def recorded(model, x, y, ids, pool):
    """(final distances (n,), every query that the model was sent, the labels that it gave)."""
    seen = []
    hook = model.register_forward_hook(lambda _, given, logits: seen.append((given[0].clone(), logits.argmax(1))))
    distances = search(model, x, y, ids, pool)
    hook.remove()
    return distances, torch.cat([given for given, _ in seen]), torch.cat([labels for _, labels in seen])


def report_flips(name, model, queries, labels):
    for size in BATCHES:
        with torch.inference_mode():
            again = torch.cat([model(part).argmax(1) for part in queries.split(size)])
        flipped = int((again != labels).sum())
        print(
            f"{name}: asked in batches of {size}: {flipped} of {len(labels)} labels flip ({flipped / len(labels):.1e})"
        )


def report_search(name, way, distances, reference, is_member):
    threshold = best_threshold(reference, is_member)
    moved = np.mean(distances != reference)
    accuracies = [at_threshold(scores, is_member, threshold)["accuracy"] for scores in (reference, distances)]
    aucs = [auc(scores, is_member) for scores in (reference, distances)]
    far = np.isfinite(distances) & np.isfinite(reference)
    most = np.abs(distances[far] - reference[far]).max()
    print(
        f"{name}: searched {way}: {moved:.1%} of distances move, by {most:.1e} at most; "
        f"accuracy {accuracies[0]:.4f} and {accuracies[1]:.4f}, AUC {aucs[0]:.4f} and {aucs[1]:.4f}"
    )


def main():
    config = yaml.safe_load(Path("config.yaml").read_text())
    for name in config["studies"]:
        model, x, y, ids, is_member, pool = load_target(config, name)
        reference, queries, labels = recorded(model, x, y, ids, pool)
        report_flips(name, model, queries, labels)
        order = np.random.default_rng(0).permutation(len(ids))
        permuted = np.empty(len(ids))
        permuted[order] = search(model, x[order], y[order], ids[order], pool)
        report_search(name, "in another order", permuted, reference, is_member)
        alone = [search(model, x[i : i + 1], y[i : i + 1], ids[i : i + 1], pool)[0] for i in range(len(ids))]
        report_search(name, "one by one", np.array(alone), reference, is_member)


if __name__ == "__main__":
    main()
