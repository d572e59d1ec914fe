"""How near, and at what cost, few gradients come to the boundary of an attacker's own models: what warm searches use.

`closest_crossings` beside DDN with 10, 20, 50 and 200 gradients, and with other constants, around inputs that the
models have not seen. It was designed on digits and the first ten classes of CIFAR-100; on Location and MNIST nothing
was. A ratio is the distance by that of DDN with 200 gradients, of rightly classified inputs. CPU seconds are medians of
three. Run from the repository root:
python benchmarks/crossings.py --out CSV --cifar100 NPZ [--location TGZ] [--mnist NPZ]
"""

import argparse
import csv
import sys
import time
from functools import partial
from pathlib import Path
from unittest import mock

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from warm import SMALL_CNN, TRAINING  # noqa: E402

from lmia.boundary import crossings  # noqa: E402
from lmia.boundary.references import Mean  # noqa: E402
from lmia.boundary.white_box import white_box_distances  # noqa: E402
from lmia.data import digits, location  # noqa: E402
from lmia.defenses import base  # noqa: E402
from lmia.models import mlp  # noqa: E402
from lmia.streams import stream  # noqa: E402
from lmia.training.loop import train  # noqa: E402
from lmia.training.options import TrainingOptions  # noqa: E402

POINTS, REPETITIONS = 300, 3
OTHERS = ({"STEPS": 6}, {"STEPS": 20}, {"GROWTH": 1.5}, {"RATES": (0.05, 0.05)}, {"RATES": (0.2, 0.05)})
OTHERS += ({"RATES": (0.3, 0.02)}, {"RATES": (0.4, 0.02)})


def images(path, noise=0.0, n_classes=None):
    """Images of an .npz file, of its first classes, under fixed noise: inputs (n, c, h, w) in [0, 1], classes (n,)."""
    with np.load(path) as file:
        pixels, classes = (np.concatenate([file[f"{name}_{part}"] for part in ("train", "test")]) for name in "xy")
    classes, draw = classes.ravel().astype(np.int64), stream(0, "benchmark, crossings")
    rows = draw.permutation(np.flatnonzero(classes < (n_classes or np.inf)))[:4000]
    pixels = pixels[rows].reshape(len(rows), *pixels.shape[1:3], -1).transpose(0, 3, 1, 2).astype(np.float32) / 255
    return np.clip(pixels + noise * draw.standard_normal(pixels.shape, dtype=np.float32), 0, 1), classes[rows]


def ours(constants, model, inputs, classes):
    with mock.patch.multiple(crossings, **constants):
        return crossings.closest_crossings(model, inputs, classes)[1]


def ddn(steps, model, inputs, classes):
    return white_box_distances(model, inputs, classes, steps=steps)[0][:, 0]


METHODS = {"closest_crossings": (crossings.STEPS, partial(ours, {"STEPS": crossings.STEPS}))}
METHODS |= {f"DDN, {steps} gradients": (steps, partial(ddn, steps)) for steps in (10, 20, 50, 200)}
METHODS |= {
    f"closest_crossings, {name} {value}": (other.get("STEPS", crossings.STEPS), partial(ours, other))
    for other in OTHERS
    for name, value in other.items()
}


def measured(function, *subject):
    """(what it gives, CPU seconds: the median of repetitions)."""
    seconds = []
    for _ in range(REPETITIONS):
        start = time.process_time()
        found = function(*subject)
        seconds.append(time.process_time() - start)
    return found, float(np.median(seconds))


def rows_of(name, inputs, classes, build, n_train):
    inputs, classes = torch.from_numpy(inputs), torch.from_numpy(classes)
    options, models, n_classes = TrainingOptions(**TRAINING), [], int(classes.max()) + 1
    for number, rows in enumerate(torch.arange(2 * n_train).split(n_train)):
        model, _ = train(build, inputs[rows], classes[rows], n_classes, number, base.Defense(), options)
        models.append(model.eval())
    points, of = inputs[2 * n_train :][:POINTS], classes[2 * n_train :][:POINTS].numpy()
    for n_references in (1, 2):
        subject = Mean(models[:n_references]).eval(), points, of
        found = {method: measured(function, *subject) for method, (_, function) in METHODS.items()}
        best = found["DDN, 200 gradients"][0]
        right = best > 0
        for method, (distance, seconds) in found.items():
            ratio = distance[right] / best[right]
            row = {"subject": name, "references": n_references, "method": method, "gradients": METHODS[method][0]}
            row |= {"points": len(ratio), "not_found": int(np.isinf(ratio).sum())}
            ends = zip(("median", "q90", "max"), np.quantile(ratio, (0.5, 0.9, 1.0), method="lower"), strict=True)
            row |= {f"ratio_{end}": round(float(value), 3) for end, value in ends}
            yield row | {"cpu_seconds": round(seconds, 3)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="table to write, .csv")
    parser.add_argument("--cifar100", required=True, help="its .npz file")
    parser.add_argument("--location", help="its archive")
    parser.add_argument("--mnist", help="its .npz file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    noisy = digits.load(pixel_noise=0.3)
    subjects = {
        "digits, MLP": (*noisy, mlp.build, 150),
        "digits, small CNN": (*noisy, SMALL_CNN, 150),
        "ten classes of CIFAR-100, small CNN": (*images(arguments.cifar100, n_classes=10), SMALL_CNN, 500),
    }
    if arguments.location:
        inputs, classes = location.load(arguments.location)
        order = stream(0, "benchmark, crossings").permutation(len(inputs))
        subjects["Location, MLP"] = inputs[order], classes[order], mlp.build, 1000
    if arguments.mnist:
        subjects["MNIST, MLP"] = (*images(arguments.mnist, noise=0.4), mlp.build, 500)
    rows = []
    for name, subject in subjects.items():
        for row in rows_of(name, *subject):
            rows.append(row)
            print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    with arguments.out.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


if __name__ == "__main__":
    main()
