"""The trained models of a block of seeds, each with the points that it is asked about."""

import numpy as np
import torch
from tqdm import tqdm

from lmia import artifacts, plugins
from lmia.devices import describe, prepare
from lmia.models.checkpoints import restore
from lmia.streams import stream
from workflow.harness.gpus import take_device

POOL = 2000  # points among which boundary searches start, at most


class FrozenModels:
    """Iterates (seed, model in evaluation mode, inputs (n, *shape), classes (n,), example ids (n,)).

    The points are members and equally many non-members of the model's role, all or as many as the study evaluates, by
    ascending id: their order tells nothing. Models are on `device`, which is this job's, and inputs on the CPU.
    """

    def __init__(self, snakemake, seeds):
        self._seeds, self._spec, self._evaluated = seeds, snakemake.params.model, snakemake.params.evaluated
        self.device = take_device(snakemake)  # first, so that a device which is missing costs no time
        prepare(self.device, snakemake.threads)
        self._data, _ = artifacts.load(snakemake.input.dataset, "dataset", {"classes": ("i", 1)})
        self._split, _ = artifacts.load(snakemake.input.split, "split", {"members": ("i", 2), "nonmembers": ("i", 2)})
        self._models, provenance = artifacts.load(snakemake.input.model, "model")
        self.provenance = {"seeds": seeds, "model": provenance["sha256"], "torch": torch.__version__}
        self.provenance |= {"device": describe(self.device)}

    def __iter__(self):
        inputs, classes = self._data["inputs"], self._data["classes"]
        build = plugins.bind("models", "build", self._spec)
        for row, seed in enumerate(tqdm(self._seeds, desc="models")):
            ids = self._evaluated_ids(row, seed)
            model = restore(build(inputs.shape[1:], int(classes.max()) + 1), self._models, seed)
            yield seed, model.to(self.device), torch.from_numpy(inputs[ids]), classes[ids], ids

    def _evaluated_ids(self, row, seed):
        """Drawn by the seed, the same for every query set; more points include fewer."""
        parts, draw = [self._split[name][row] for name in ("members", "nonmembers")], stream(seed, "evaluated points")
        n = min(self._evaluated or len(parts[0]), *map(len, parts))
        return np.sort(np.concatenate([draw.permutation(part)[:n] for part in parts]))

    def pool(self, seed, ids):
        """(inputs, classes) of points that the attacker has besides those that are asked about, drawn by the seed.

        None of them is among the model's members. None where that leaves no point.
        """
        members = self._split["members"][self._seeds.index(seed)]
        others = np.setdiff1d(np.arange(len(self._data["classes"])), np.concatenate([ids, members]))
        if not len(others):
            return None
        drawn = np.sort(stream(seed, "pool of starting points").permutation(others)[:POOL])
        return torch.from_numpy(self._data["inputs"][drawn]), self._data["classes"][drawn]

    def save(self, output, kind, columns, provenance):
        """Write one artifact from rows of named arrays, one row per seed, in the order of iteration."""
        arrays = {name: np.stack(rows) for name, rows in columns.items()}
        artifacts.save(output, kind, arrays, provenance | self.provenance)
