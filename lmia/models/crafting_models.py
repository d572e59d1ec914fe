"""Models that queries are crafted from, and the examples of a pool that they are crafted for."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lmia import artifacts, plugins
from lmia.asked_points import evaluated_pool_ids
from lmia.box import Box
from lmia.devices import describe, prepare
from lmia.models.asked_models import Subject
from lmia.models.checkpoints import restore
from lmia.split_rows import ids_of


class CraftingModels:
    """Surrogates of a pool, with the examples that all its models are asked about.

    files: has paths of artifacts as `dataset`, and as `splits` and `models` lists, of one role each; params: has
    `model`, what the models are ({"kind": ..., options}), `pool`, the pool's number, and `evaluated`, how many examples
    of each kind are asked about at most (None: all); device: that models run on; threads: of the CPU.

    networks: in evaluation mode, on that device; knows: bools (models, n), which of them was trained on which example;
    ids: (n,), ascending; inputs: float32 (n, *shape), on the CPU; classes: (n,); box: that inputs lie in.
    """

    def __init__(self, files: Any, params: Any, device: torch.device, threads: int):
        prepare(device, threads)
        data, _ = artifacts.load(files.dataset, "dataset", {"classes": ("i", 1)})
        splits = [_split(path) for path in files.splits]
        self.ids = evaluated_pool_ids(ids_of(splits[0]["nonmembers"][0]), params.pool, params.evaluated)
        self.inputs, self.classes = torch.from_numpy(data["inputs"][self.ids]), data["classes"][self.ids]
        self.box = Box.from_arrays(data)
        self.knows = np.stack([np.isin(self.ids, ids_of(row)) for split in splits for row in split["members"]])
        build = plugins.bind("models", "build", params.model)
        self.networks: list[torch.nn.Module] = []
        self.provenance: dict[str, Any] = {"models": [], "torch": torch.__version__, "device": describe(device)}
        for path in files.models:
            arrays, provenance = artifacts.load(path, "model")
            for seed in provenance["seeds"]:
                network = build(data["inputs"].shape[1:], int(data["classes"].max()) + 1)
                self.networks.append(restore(network, arrays, seed).to(device))
            self.provenance["models"].append(provenance["sha256"])

    def save(
        self, output: str | Path, crafted: Sequence[np.ndarray], reached: Sequence[np.ndarray], **provenance: Any
    ) -> None:
        """Write the queries of each fold of models, (n, q, *shape), and whether each search reached its end, (n, q)."""
        arrays: Mapping[str, Any] = {
            "inputs": np.stack(crafted),
            "reached": np.stack(reached),
            "example_ids": self.ids,
            "classes": self.classes,
        }
        artifacts.save(output, "crafted", arrays, provenance | self.provenance)


def _split(path: str) -> dict[str, np.ndarray]:
    return artifacts.load(path, "split", {"members": ("i", 2), "nonmembers": ("i", 2)})[0]


class CraftedQueries:
    """What `CraftingModels.save` wrote at a path. magnitudes: of each query, floats (q,); unit: of these."""

    def __init__(self, path: str | Path):
        self._path = path
        self._arrays, how = artifacts.load(path, "crafted", {"example_ids": ("i", 1), "reached": ("b", 3)})
        self.magnitudes, self.unit = how["magnitudes"], how["unit"]

    def of(self, subject: Subject) -> np.ndarray:
        """The queries of a model, float32 (n, q, *shape). Raises ValueError where they are for other examples."""
        if not np.array_equal(self._arrays["example_ids"], subject.ids):
            raise ValueError(
                f"{self._path}: expected queries for the {len(subject.ids)} examples of model {subject.seed}"
            )
        return self._arrays["inputs"][0]
