"""Models that queries are crafted from, and the examples of a pool that they are crafted for."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lmia import artifacts, plugins
from lmia.asked_points import evaluated_pool_ids
from lmia.box import Box
from lmia.canaries import given_classes, given_inputs
from lmia.devices import describe, prepare
from lmia.models.asked_models import Subject
from lmia.models.checkpoints import restore
from lmia.split_rows import ids_of

FOLDS = 2  # of a pool's pairs, where queries are crafted from its own models


def fold_of(model: int) -> int:
    """The fold of a pool's model: its pair's number, even or odd."""
    return model // 2 % FOLDS


class CraftingModels:
    """Models with gradients, and the examples that all models of a pool are asked about.

    The models are surrogates, which know no such example and serve all targets, or the pool's own. Then there are two
    folds of its pairs, and the queries of each are asked of the other one: no query depends on a model that is asked,
    on its partner, or on the examples that these know.

    files: has paths of artifacts as `dataset`, and as `splits` and `models` lists, of the same models; params: has
    `model`, what the models are ({"kind": ..., options}), `crafted_from`, "surrogates" or "pool", `pool`, the pool's
    number, and `evaluated`, how many examples of each kind are asked about at most (None: all); device: that models run
    on; threads: of the CPU.

    ids: (n,), ascending; inputs: float32 (n, *shape), on the CPU; classes: (n,); box: that inputs lie in.
    """

    def __init__(self, files: Any, params: Any, device: torch.device, threads: int):
        prepare(device, threads)
        self._device, self._spec, self._is_crossed = device, params.model, params.crafted_from == "pool"
        data, _ = artifacts.load(files.dataset, "dataset", {"classes": ("i", 1)})
        self._shape, self._n_classes = data["inputs"].shape[1:], int(data["classes"].max()) + 1
        parts = {"members": ("i", 2), "nonmembers": ("i", 2)}
        splits = [artifacts.load(path, "split", parts)[0] for path in files.splits]
        classes = given_classes(data["classes"], splits[0])
        examples = ids_of(splits[0]["nonmembers"][0])
        if self._is_crossed:
            examples = np.sort(np.concatenate([ids_of(splits[0]["members"][0]), examples]))
        self.ids = evaluated_pool_ids(examples, params.pool, params.evaluated)
        self.inputs = torch.from_numpy(given_inputs(data["inputs"], self.ids, splits[0]))
        self.classes = classes[self.ids]
        self.box = Box.from_arrays(data)
        self._models: list[tuple[int, torch.nn.Module, np.ndarray]] = []  # seed, network, which examples it knows
        checksums = [self._add(path, split) for path, split in zip(files.models, splits, strict=True)]
        self.provenance = {"models": checksums, "torch": torch.__version__, "device": describe(device)}

    def _add(self, path: str, split: dict[str, np.ndarray]) -> str:
        """Read the models of a file; returns its checksum."""
        arrays, provenance = artifacts.load(path, "model")
        build = plugins.bind("models", "build", self._spec)
        for seed, members in zip(provenance["seeds"], split["members"], strict=True):
            network = restore(build(self._shape, self._n_classes), arrays, seed).to(self._device)
            self._models.append((seed, network, np.isin(self.ids, ids_of(members))))
        return provenance["sha256"]

    def folds(self) -> Iterator[tuple[list[torch.nn.Module], np.ndarray]]:
        """Yields (networks in evaluation mode, bools (models, n): which of them knows which example).

        Surrogates are one fold, in their order; of the pool's models, whatever blocks they come in, each has its pairs
        one after the other.
        """
        if not self._is_crossed:
            yield _columns(self._models)
            return
        ordered = sorted(self._models, key=lambda model: model[0])
        for fold in range(FOLDS):
            yield _columns([model for model in ordered if fold_of(model[0]) == fold])

    def save(
        self, output: str | Path, crafted: Sequence[np.ndarray], reached: Sequence[np.ndarray], **provenance: Any
    ) -> None:
        """Write the queries of each fold, (n, q, *shape), and whether the search for each got to its end, (n, q)."""
        arrays = {"inputs": np.stack(crafted), "reached": np.stack(reached)}
        points = {"example_ids": self.ids, "classes": self.classes}
        artifacts.save(output, "crafted", arrays | points, provenance | self.provenance)


def _columns(models: Sequence[tuple[int, torch.nn.Module, np.ndarray]]) -> tuple[list[torch.nn.Module], np.ndarray]:
    _, networks, knows = zip(*models, strict=True)
    return list(networks), np.stack(knows)


class CraftedQueries:
    """What `CraftingModels.save` wrote at a path. magnitudes: of each query, floats (q,); unit: of these."""

    def __init__(self, path: str | Path):
        self._path = path
        self._arrays, how = artifacts.load(path, "crafted", {"example_ids": ("i", 1), "reached": ("b", 3)})
        self.magnitudes, self.unit = how["magnitudes"], how["unit"]

    def of(self, subject: Subject) -> np.ndarray:
        """The queries of a model, float32 (n, q, *shape), in whose making it had no part.

        Raises ValueError where they are for other examples.
        """
        if not np.array_equal(self._arrays["example_ids"], subject.ids):
            raise ValueError(f"{self._path}: expected queries for {len(subject.ids)} examples of model {subject.seed}")
        of_folds = self._arrays["inputs"]
        return of_folds[1 - fold_of(subject.seed) if len(of_folds) == FOLDS else 0]
