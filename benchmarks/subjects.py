"""The models that are attacked: their data, their training, and the points that they are asked about."""

import time

import numpy as np
import torch
from rivals import Points
from torch.nn import functional

from lmia.data import digits
from lmia.defenses import base
from lmia.models import cnn, mlp
from lmia.models.checkpoints import restore, to_arrays
from lmia.splits import draw_split
from lmia.streams import stream
from lmia.training.loop import train
from lmia.training.options import TrainingOptions

BUILD = {"mlp-digits": mlp.build, "cnn": cnn.build}
N_CLASSES = 10
TRAINING = {"learning_rate": 1e-3, "batch_size": 100, "min_delta": 0.005, "patience": 20}  # as the paper's code does
POOL = 2000  # examples of the data set that the attacker has besides


def load_data(model, npz, n, seed):
    """The data set of a model, made up with n examples where it is one of images and `npz` is None.

    Returns (inputs (m, channels, height, width), uint8 or floats in [0, 1]; classes (m,)).
    """
    if model == "mlp-digits":
        return digits.load(pixel_noise=0.3)
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
    split = draw_split(len(inputs), n_train, seed)
    draw = stream(seed, f"benchmark points, {role}")
    kinds = split.members(role), split.nonmembers(role)
    ids = draw.permutation(np.concatenate([draw.choice(kind, n_points, replace=False) for kind in kinds]))
    others = np.setdiff1d(np.arange(len(inputs)), split.evaluated(role))
    parts = {"train": kinds[0], "points": ids, "pool": draw.choice(others, min(POOL, len(others)), replace=False)}
    arrays = {f"{name}_inputs": inputs[part] for name, part in parts.items()}
    arrays |= {f"{name}_classes": classes[part] for name, part in parts.items()}
    return arrays | {"ids": ids, "is_member": split.is_member(role, ids)}


def tensors(arrays, name):
    """(inputs, float32 in [0, 1]; classes) of one part of what `draw_points` made."""
    inputs = arrays[f"{name}_inputs"]
    scale = 255 if inputs.dtype == np.uint8 else 1
    return torch.from_numpy(inputs.astype(np.float32) / scale), torch.from_numpy(arrays[f"{name}_classes"])


def fit(data, model, max_epochs, seed, device):
    """Train a model on the members in the file `data`; returns its arrays, with the seconds that it took."""
    start = time.process_time(), time.perf_counter()
    x, y = (tensor.to(device) for tensor in tensors(dict(np.load(data)), "train"))
    options = {**TRAINING, "max_epochs": max_epochs}
    network, losses = train(BUILD[model], x, y, N_CLASSES, seed, base.Defense(), TrainingOptions(**options))
    took = {"cpu": time.process_time() - start[0], "wall": time.perf_counter() - start[1]}
    return to_arrays(network, 0) | {"losses": losses} | took


def load(data, model, path, device):
    """(network, Points) from the files of `draw_points` and of `fit`, on a device."""
    arrays = dict(np.load(data))
    points, pool = ((tensor.to(device) for tensor in tensors(arrays, name)) for name in ("points", "pool"))
    points = Points(*points, arrays["ids"], *pool)
    network = restore(BUILD[model](points.inputs.shape[1:], N_CLASSES), np.load(path), 0)
    return network.to(device), points
