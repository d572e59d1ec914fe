"""The trained models of a block of seeds, each with the points that it is asked about."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from lmia import artifacts, plugins
from lmia.asked_points import evaluated_ids, evaluated_pool_ids, population_ids, starting_ids
from lmia.box import Box
from lmia.canaries import given_classes, given_inputs
from lmia.devices import describe, prepare
from lmia.label_function import as_network
from lmia.models.checkpoints import restore
from lmia.models.voting import COPIES, SIGMA, as_answered
from lmia.split_rows import ids_of
from lmia.streams import seed_list
from lmia.table import Table


@dataclass(frozen=True)
class Subject:
    """One model and its points.

    seed: of the model; draws: seed of what is drawn for its points: of a pool, all models share that, so that they are
    asked the same; network: in evaluation mode, on the job's device; inputs: float32 (n, *shape), on the CPU; classes,
    ids: (n,), in the order of the ids, which tells nothing of who was trained on.
    """

    seed: int
    draws: int
    network: nn.Module
    inputs: torch.Tensor
    classes: np.ndarray
    ids: np.ndarray

    def row(self, **arrays: np.ndarray) -> dict[str, np.ndarray]:
        """What was answered, with the points that were asked about: as `TrainedModels.save` takes it."""
        return arrays | {"classes": self.classes, "example_ids": self.ids}


class TrainedModels:
    """Iterates the `Subject` of each seed.

    Args:
        files: Has paths of artifacts as `dataset`, `split` and `model`. The latter two are of one role, or a split of
            records in question and the target that they are of. A shadow's split may have `avoided`, where no search
            starts, as none of the target's does.
        params: Has `model`, what the model is ({"kind": ..., options}), `seeds`, the block of these files ("0-5"),
            `evaluated`, how many points of each kind are asked about at most (None: all), and `pool`, the number of the
            pool that the models are of (None: they are of none).
        device: That models run on.
        threads: Of the CPU.
        terms: Further options of `model`, on which no answer depends.

    Attributes:
        seeds: Of the block, ints.
        table: Of the data set, None if it is none.
        box: That its inputs lie in.
    """

    def __init__(
        self,
        files: Any,
        params: Any,
        device: torch.device,
        threads: int,
        terms: Mapping[str, Any] = MappingProxyType({}),
    ):
        prepare(device, threads)
        self.device = device
        self.seeds, self._spec = seed_list(params.seeds), {**params.model, **terms}
        self._evaluated, self._pool = params.evaluated, params.pool
        self._data, _ = artifacts.load(files.dataset, "dataset", {"classes": ("i", 1)})
        self._split, _ = artifacts.load(files.split, "split", {"members": ("i", 2), "nonmembers": ("i", 2)})
        self._data["classes"] = given_classes(self._data["classes"], self._split)
        self._models, provenance = artifacts.load(files.model, "model")
        self.provenance = {"seeds": self.seeds, "model": provenance["sha256"], "torch": torch.__version__}
        self.provenance |= {"device": describe(device)}
        self.table, self.box = Table.from_arrays(self._data), Box.from_arrays(self._data)

    def __iter__(self) -> Iterator[Subject]:
        inputs, classes = self._data["inputs"], self._data["classes"]
        for row, seed in enumerate(tqdm(self.seeds, desc="models")):
            ids, draws = self._asked_ids(row, seed), seed if self._pool is None else self._pool
            numbers = {name: self._models[name][row] for name in (COPIES, SIGMA) if name in self._models}
            network = as_answered(self.network(self._models, seed), numbers, inputs.shape[1:], self.box)
            points = torch.from_numpy(given_inputs(inputs, ids, self._split))
            yield Subject(seed, draws, network.to(self.device), points, classes[ids], ids)

    def network(self, arrays: dict[str, np.ndarray], seed: int) -> nn.Module:
        """The model of a seed as it was trained, on the job's device, from an artifact of models of this kind."""
        inputs, n_classes = self._data["inputs"], int(self._data["classes"].max()) + 1
        build = plugins.bind("models", "build", self._spec, table=self.table, job_device=self.device)
        network = as_network(build(inputs.shape[1:], n_classes), n_classes, self.table)
        return restore(network, arrays, seed).to(self.device)

    def _parts(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """(members, non-members) of the model in a row."""
        return ids_of(self._split["members"][row]), ids_of(self._split["nonmembers"][row])

    def _asked_ids(self, row: int, seed: int) -> np.ndarray:
        if "in_question" in self._split:
            return self._split["in_question"][row]
        return self._judged_ids(row, seed)

    def _judged_ids(self, row: int, seed: int) -> np.ndarray:
        members, nonmembers = self._parts(row)
        if self._pool is None:
            return evaluated_ids(members, nonmembers, seed, self._evaluated)
        return evaluated_pool_ids(np.sort(np.concatenate([members, nonmembers])), self._pool, self._evaluated)

    @property
    def everything(self) -> tuple[np.ndarray, np.ndarray]:
        """(inputs (N, *shape), classes (N,)) of the whole data set."""
        return self._data["inputs"], self._data["classes"]

    def starting_points(self, subject: Subject) -> tuple[torch.Tensor, np.ndarray] | None:
        """(inputs, classes) of points where searches may start, none of them a known member; None where there is none.

        Of a pool they are among what no model of it was trained on, and the same for all. Searches of records in
        question start where those of known records do, or the two kinds of distances would differ by that.
        """
        row = self.seeds.index(subject.seed)
        members, nonmembers = self._parts(row)
        taken = members if self._pool is None else np.concatenate([members, nonmembers])
        if "avoided" in self._split:
            taken = np.concatenate([taken, self._split["avoided"][row]])
        judged = self._judged_ids(row, subject.seed)
        ids = starting_ids(len(self._data["classes"]), judged, taken, subject.draws)
        return (torch.from_numpy(self._data["inputs"][ids]), self._data["classes"][ids]) if len(ids) else None

    def population(self, subject: Subject, n: int) -> tuple[torch.Tensor, np.ndarray]:
        """(inputs (n, *shape), classes (n,)) of points beside all members and non-members of the model's role.

        Of a pool they are the same for all its models. Raises ValueError where fewer are left.
        """
        members, nonmembers = self._parts(self.seeds.index(subject.seed))
        ids = population_ids(len(self._data["classes"]), members, nonmembers, subject.draws, n)
        return torch.from_numpy(self._data["inputs"][ids]), self._data["classes"][ids]

    def save(self, output: str | Path, kind: str, rows: Sequence[dict], provenance: dict) -> None:
        """Write one artifact of `kind` from named arrays, one dict per subject, in the order of iteration."""
        arrays = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
        artifacts.save(output, kind, arrays, provenance | self.provenance)
