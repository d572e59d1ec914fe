"""The models that are attacked: their data, their training, and the points that they are asked about."""

import time

import numpy as np
import torch
from rivals import Points
from torch.nn import functional

from lmia.data import digits, location
from lmia.defenses import base
from lmia.models import cnn, mlp
from lmia.models.checkpoints import restore, to_arrays
from lmia.splits import draw_split
from lmia.streams import stream
from lmia.training.loop import train
from lmia.training.options import TrainingOptions

BUILD = {"mlp-digits": mlp.build, "mlp-location": mlp.build, "cnn": cnn.build}
N_CLASSES = 10  # of made-up images
# Target, shadow, and the attacker's models at which warm searches start: the blocks of `draw_split` that each has.
ROLES = {"target": ("target", 0), "shadow": ("shadow", 0), "reference0": ("shadow", 1), "reference1": ("shadow", 2)}
REFERENCES = tuple(role for role in ROLES if role.startswith("reference"))
TRAINING = {"learning_rate": 1e-3, "batch_size": 100, "min_delta": 0.005, "patience": 20}  # as the paper's code does
POOL = 2000  # examples of the data set that the attacker has besides


def load_data(model, npz, archive, n, seed):
    """The data set of a model, made up with n examples where it is one of images and `npz` is None.

    archive: of Location. Returns (inputs (m, *shape), uint8 or floats in [0, 1]; classes (m,)).
    """
    if model == "mlp-digits":
        return digits.load(pixel_noise=0.3)
    if model == "mlp-location":
        return location.load(archive)
    if npz is None:
        return synthetic(n, seed)
    with np.load(npz) as file:
        inputs, classes = (np.concatenate([file[f"{kind}_{part}"] for part in ("train", "test")]) for kind in "xy")
    return inputs.transpose(0, 3, 1, 2), classes.astype(np.int64)


def synthetic(n, seed):
    """Images (n, 3, 32, 32) of a smooth pattern per class, under a smooth and a white disturbance; classes (n,).

    Trained on 2,500 of them, the CNN knows its members by heart and gets about half of the others right.
    """
    draw = stream(seed, "benchmark images")
    classes = draw.integers(N_CLASSES, size=n)
    coarse = torch.from_numpy(draw.standard_normal((N_CLASSES + n, 3, 4, 4), dtype=np.float32))
    smooth = functional.interpolate(coarse, (32, 32), mode="bilinear").numpy()
    noise = draw.standard_normal((n, 3, 32, 32), dtype=np.float32)
    return np.clip(0.5 + 0.08 * smooth[classes] + 0.3 * smooth[N_CLASSES:] + 0.1 * noise, 0, 1), classes


def draw_points(inputs, classes, role, n_train, n_points, seed):
    """Arrays of one role: members to train on, as many points of either kind to attack, in random order, and a pool."""
    kind, number = ROLES[role]
    split = draw_split(len(inputs), n_train, seed, number)
    draw = stream(seed, f"benchmark points, {role}")
    kinds = split.members(kind), split.nonmembers(kind)
    ids = draw.permutation(np.concatenate([draw.choice(of, n_points, replace=False) for of in kinds]))
    others = np.setdiff1d(np.arange(len(inputs)), split.evaluated(kind))
    parts = {"train": kinds[0], "points": ids, "pool": draw.choice(others, min(POOL, len(others)), replace=False)}
    arrays = {f"{name}_inputs": inputs[part] for name, part in parts.items()}
    arrays |= {f"{name}_classes": classes[part] for name, part in parts.items()}
    arrays |= {"train_ids": kinds[0], "n_classes": np.array(int(classes.max()) + 1)}
    return arrays | {"ids": ids, "is_member": split.is_member(kind, ids)}


def tensors(arrays, name):
    """(inputs, float32 in [0, 1]; classes) of one part of what `draw_points` made."""
    inputs = arrays[f"{name}_inputs"]
    scale = 255 if inputs.dtype == np.uint8 else 1
    return torch.from_numpy(inputs.astype(np.float32) / scale), torch.from_numpy(arrays[f"{name}_classes"])


def fit(data, model, max_epochs, seed, device):
    """Train a model on the members in the file `data`; returns its arrays, with the seconds that it took."""
    start = time.process_time(), time.perf_counter()
    arrays = dict(np.load(data))
    x, y = (tensor.to(device) for tensor in tensors(arrays, "train"))
    options, n_classes = TrainingOptions(**TRAINING, max_epochs=max_epochs), int(arrays["n_classes"])
    network, losses = train(BUILD[model], x, y, n_classes, seed, base.Defense(), options)
    took = {"cpu": time.process_time() - start[0], "wall": time.perf_counter() - start[1]}
    return to_arrays(network, 0) | {"losses": losses} | took


def load(data, model, path, device, references=()):
    """(network, Points) from the files of `draw_points` and of `fit`, on a device.

    references: the same two files of each of the attacker's own models.
    """
    arrays = dict(np.load(data))
    points, pool = ((tensor.to(device) for tensor in tensors(arrays, name)) for name in ("points", "pool"))
    ids, shape, n_classes = arrays["ids"], arrays["points_inputs"].shape[1:], int(arrays["n_classes"])

    def network(file):
        return restore(BUILD[model](shape, n_classes), np.load(file), 0).to(device)

    is_out = np.array([~np.isin(ids, np.load(of)["train_ids"]) for of, _ in references]).reshape(-1, len(ids)).T
    points = Points(*points, ids, *pool, tuple(network(file) for _, file in references), is_out)
    return network(path), points
