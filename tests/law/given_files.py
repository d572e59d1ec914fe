"""The user's own files that the configuration of every kind names."""

import io
import shutil
import warnings

import joblib
import numpy as np
import pandas as pd
import torch
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from lmia.models import mlp


def _given_model():
    """(a network for four features and three classes, its weights as a file, and itself as one of TorchScript)."""
    with torch.random.fork_rng([]), warnings.catch_warnings(action="ignore"):  # torch.jit is deprecated
        torch.manual_seed(27)
        network = mlp.build((4,), 3, hidden=[8]).eval()
        for value in network.parameters():
            value.data *= 4  # with seed 27, it gives all labels
        weights, program = io.BytesIO(), io.BytesIO()
        torch.save(network.state_dict(), weights)
        torch.jit.save(torch.jit.trace(network, torch.rand(2, 4)), program)
    return network, weights.getvalue(), program.getvalue()


def _given_tree():
    """(a pipeline of scikit-learn's, and itself as joblib writes it): it looks at two columns of `_residents`."""
    numbers, columns = np.random.default_rng(5), ["town", "rooms"]
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), columns[:1]), ("passthrough", columns[1:])
    )
    pipeline = make_pipeline(encode, DecisionTreeClassifier(random_state=0))
    seen = pd.DataFrame({"town": numbers.choice(["Ayr", "Bath"], 60), "rooms": numbers.integers(1, 9, 60)})
    file = io.BytesIO()
    joblib.dump(pipeline.fit(seen, numbers.choice(["high", "low"], 60)), file)
    return pipeline, file.getvalue()


def _residents():
    """A table whose labels are what the tree says, so that it is right; "tax" has them, too, but for a few."""
    numbers = np.random.default_rng(6)
    frame = pd.DataFrame({"town": numbers.choice(["Ayr", "Bath"], 200), "rooms": numbers.integers(1, 9, 200)})
    frame["street"], frame["age"] = numbers.choice(["A", "B", "C"], 200), numbers.random(200).round(2)
    frame["rent"] = TREE.predict(frame[["town", "rooms"]])
    frame["tax"] = np.where(np.arange(200) < 6, numbers.permutation(frame["rent"]), frame["rent"])
    frame["about"] = [" ".join(numbers.choice(["warm", "old", "near", "the sea"], 3)) for _ in range(200)]
    frame["advert"] = frame["about"][::-1].to_numpy()
    frame["name"], frame["number"] = [f"name {n}" for n in range(200)], range(200)
    for name in ("known", "said"):
        frame[name] = numbers.permutation(np.repeat([1, 0, -1], [70, 80, 50]))
    return frame


GIVEN, WEIGHTS, PROGRAM = _given_model()
TREE, PICKLED = _given_tree()


def place(folder):
    """Put the user's own files that the configuration names into a folder."""
    (folder / "copies").mkdir()
    numbers = np.random.default_rng(0)
    arrays = {name: numbers.random((50, 4)) for name in ("inputs", "more")}
    arrays |= {name: numbers.permutation(np.arange(50) % 3) for name in ("classes", "others")}
    np.savez(folder / "mine.npz", **arrays)
    inputs = numbers.random((200, 4), np.float32)
    with torch.inference_mode():
        classes = GIVEN(torch.from_numpy(inputs)).argmax(1).numpy()
    known, said = (numbers.permutation(np.repeat([1, 0, -1], [70, 80, 50])) for _ in range(2))
    asked = numbers.permutation(np.repeat([0, -1], [120, 80]))
    np.savez(
        folder / "records.npz",
        inputs=inputs,
        classes=classes,
        known=known,
        said=said,
        asked=asked,
        nobody=np.full(200, -1),
    )
    (folder / "given.pt").write_bytes(WEIGHTS)
    (folder / "given.ts").write_bytes(PROGRAM)
    (folder / "tree.joblib").write_bytes(PICKLED)
    _residents().to_csv(folder / "residents.csv", index=False)
    others = ("given.onnx", "given.ubj", "given.txt")
    for name in others:
        (folder / name).write_text(name)  # which nothing opens that plans
    for path in (folder / "given", folder / "copies/given"):
        path.mkdir()
        (path / "config.json").write_text("{}")
        (path / "model.safetensors").write_text("weights")
    for name in ("mine.npz", "given.pt", "given.ts", "tree.joblib", "residents.csv", *others):
        shutil.copy(folder / name, folder / "copies")


def place_small_data(folder):
    """Put the files that `runnable` names into a folder."""
    place(folder)
    numbers = np.random.default_rng(1)
    for name, shape in (("images", (1, 8, 8)), ("others", (1, 8, 8)), ("tables", (12,))):
        classes = np.arange(300) % 3
        inputs = (0.6 * numbers.random((300, *shape)) + 0.2 * classes.reshape(-1, *[1] * len(shape))).round(3)
        np.savez(folder / f"{name}.npz", inputs=inputs, classes=classes)
