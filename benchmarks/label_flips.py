"""How often a float32 label depends on the batch that its input is asked in, and whether any statistic moves by it.

Needs a finished default study. Run from the repository root: python benchmarks/label_flips.py
"""

import sys
from pathlib import Path

import numpy as np
import torch
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lmia import artifacts, oracle, plugins  # noqa: E402
from lmia.boundary import search_boundary  # noqa: E402
from lmia.checkpoints import restore  # noqa: E402
from lmia.streams import streams  # noqa: E402

torch.set_num_threads(1)


def load_models(config, name):
    """(model, inputs, classes, ids) of the target of seed 0, and of the points that it is asked about."""
    study = config["studies"][name]
    run = f"{name}/n{study['n_train'][0]}-none/{study['seeds'][0]}"
    data, _ = artifacts.load(f"results/data/{study['dataset']}.npz", "dataset")
    split, _ = artifacts.load(f"results/splits/{run}/target.npz", "split")
    arrays, _ = artifacts.load(f"results/models/{run}/target.npz", "model")
    ids = np.sort(np.concatenate([split["members"][0], split["nonmembers"][0]]))
    build = plugins.bind("models", "build", config["models"][study["model"]])
    model = restore(build(data["inputs"].shape[1:], 10), arrays, 0)
    return model, torch.from_numpy(data["inputs"][ids]), data["classes"][ids], ids


def search(model, x, y, ids, chunk):
    """Final distances with another number of inputs per forward pass."""
    oracle.CHUNK_FLOATS = chunk
    best, _ = search_boundary(model, x, y, lambda copy: streams(0, f"copy {copy}", ids), budget=1000, initial_probes=25)
    return best[:, 0, -1]


def main():
    config = yaml.safe_load(Path("config.yaml").read_text())
    for name in config["studies"]:
        model, x, y, ids = load_models(config, name)
        noise = torch.rand(200_000, *x.shape[1:], generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            one, other = (torch.cat([model(part).argmax(1) for part in noise.split(size)]) for size in (4096, 37))
        a, b = search(model, x, y, ids, 1 << 16), search(model, x, y, ids, 64 * 100)
        moved = np.mean(a != b)
        print(f"{name}: {int((one != other).sum())} of {len(noise)} labels flip between batches of 4096 and of 37")
        print(f"{name}: {moved:.1%} of distances move; medians {np.median(a):.5f} and {np.median(b):.5f}")


if __name__ == "__main__":
    main()
