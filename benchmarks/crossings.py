"""How near, and at what cost, few gradients come to the boundary of an attacker's own models: what warm searches use.

`closest_crossings` beside DDN with 10, 20, 50 and 200 gradients, around inputs that the models have not seen. These
are digits and the first ten classes of CIFAR-100, on which the search was designed. A ratio is the distance by that of
DDN with 200 gradients, of rightly classified inputs. Run from the repository root, NPZ being CIFAR-100:
python benchmarks/crossings.py NPZ --out CSV
"""

import argparse
import csv
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lmia.boundary.crossings import STEPS, closest_crossings  # noqa: E402
from lmia.boundary.references import Mean  # noqa: E402
from lmia.boundary.white_box import white_box_distances  # noqa: E402
from lmia.data import digits  # noqa: E402
from lmia.defenses import base  # noqa: E402
from lmia.models import cnn, mlp  # noqa: E402
from lmia.streams import stream  # noqa: E402
from lmia.training.loop import train  # noqa: E402
from lmia.training.options import TrainingOptions  # noqa: E402

TRAINING = {"learning_rate": 1e-3, "batch_size": 100, "min_delta": 0.005, "patience": 20, "max_epochs": 300}
SMALL_CNN = partial(cnn.build, channels=(16, 32), convolutions=1, dense=64)
POINTS, N_CLASSES = 300, 10


def ten_classes(path):
    """Images of the first ten classes of CIFAR-100, in random order: (inputs (n, 3, 32, 32) in [0, 1], classes)."""
    with np.load(path) as file:
        pixels, classes = (np.concatenate([file[f"{name}_{part}"] for part in ("train", "test")]) for name in "xy")
    rows = stream(0, "benchmark, crossings").permutation(np.flatnonzero(classes.ravel() < N_CLASSES))[:4000]
    return pixels[rows].transpose(0, 3, 1, 2).astype(np.float32) / 255, classes.ravel()[rows].astype(np.int64)


def ddn(steps, model, inputs, classes):
    return white_box_distances(model, inputs, classes, steps=steps)[0][:, 0]


METHODS = {"closest_crossings": (STEPS, lambda *subject: closest_crossings(*subject)[1])}
METHODS |= {f"DDN, {steps} gradients": (steps, partial(ddn, steps)) for steps in (10, 20, 50, 200)}


def rows_of(name, inputs, classes, build, n_train):
    inputs, classes = torch.from_numpy(inputs), torch.from_numpy(classes)
    options, models = TrainingOptions(**TRAINING), []
    for number, rows in enumerate(torch.arange(2 * n_train).split(n_train)):
        model, _ = train(build, inputs[rows], classes[rows], N_CLASSES, number, base.Defense(), options)
        models.append(model.eval())
    points, of = inputs[2 * n_train :][:POINTS], classes[2 * n_train :][:POINTS].numpy()
    for n_references in (1, 2):
        found = {}
        for method, (_, function) in METHODS.items():
            start = time.process_time()
            found[method] = function(Mean(models[:n_references]).eval(), points, of), time.process_time() - start
        best = found["DDN, 200 gradients"][0]
        right = best > 0
        for method, (distance, seconds) in found.items():
            ratio = distance[right] / best[right]
            row = {"subject": name, "references": n_references, "method": method, "gradients": METHODS[method][0]}
            row |= {"points": len(ratio), "not_found": int(np.isinf(ratio).sum())}
            ends = zip(("median", "q90", "most"), np.quantile(ratio, (0.5, 0.9, 1.0), method="lower"), strict=True)
            row |= {f"ratio_{end}": round(float(value), 3) for end, value in ends}
            yield row | {"cpu_seconds": round(seconds, 3)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("cifar100", help="CIFAR-100, .npz")
    parser.add_argument("--out", type=Path, required=True, help="table to write, .csv")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    noisy, small = digits.load(pixel_noise=0.3), ten_classes(arguments.cifar100)
    subjects = {
        "digits, MLP": (*noisy, mlp.build, 150),
        "digits, small CNN": (*noisy, SMALL_CNN, 150),
        "ten classes of CIFAR-100, small CNN": (*small, SMALL_CNN, 500),
    }
    rows = [row for name, subject in subjects.items() for row in rows_of(name, *subject)]
    with arguments.out.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    for row in rows:
        print("  ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
