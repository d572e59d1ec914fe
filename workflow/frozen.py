"""The trained models of a block of seeds, each with the points that it is asked about."""

import numpy as np
import torch
from tqdm import tqdm

from lmia import artifacts, plugins
from lmia.checkpoints import restore
from lmia.streams import stream

POOL = 2000  # points among which boundary searches start, at most


class FrozenModels:
    """Iterates (seed, model in evaluation mode, inputs (n, *shape), classes (n,), example ids (n,)).

    The points are the members and the non-members of the model's role by ascending id: their order tells nothing.
    """

    def __init__(self, snakemake, seeds):
        self._seeds, self._spec = seeds, snakemake.params.model
        self._data, _ = artifacts.load(snakemake.input.dataset, "dataset", {"classes": ("i", 1)})
        self._split, _ = artifacts.load(snakemake.input.split, "split", {"members": ("i", 2), "nonmembers": ("i", 2)})
        self._models, provenance = artifacts.load(snakemake.input.model, "model")
        self.provenance = {"seeds": seeds, "model": provenance["sha256"], "torch": torch.__version__}

    def __iter__(self):
        inputs, classes = self._data["inputs"], self._data["classes"]
        build = plugins.bind("models", "build", self._spec)
        for row, seed in enumerate(tqdm(self._seeds, desc="models")):
            ids = np.sort(np.concatenate([self._split["members"][row], self._split["nonmembers"][row]]))
            model = restore(build(inputs.shape[1:], int(classes.max()) + 1), self._models, seed)
            yield seed, model, torch.from_numpy(inputs[ids]), classes[ids], ids

    def pool(self, seed, ids):
        """(inputs, classes) of points that the attacker has besides those that are asked about, drawn by the seed."""
        others = np.setdiff1d(np.arange(len(self._data["classes"])), ids)
        drawn = np.sort(stream(seed, "pool of starting points").permutation(others)[:POOL])
        return torch.from_numpy(self._data["inputs"][drawn]), self._data["classes"][drawn]

    def save(self, output, kind, columns, provenance):
        """Write one artifact from rows of named arrays, one row per seed, in the order of iteration."""
        arrays = {name: np.stack(rows) for name, rows in columns.items()}
        artifacts.save(output, kind, arrays, provenance | self.provenance)
