"""Search for queries part by part, with a journal from which a search that was broken off goes on."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar

import numpy as np
import torch
from tqdm import tqdm

from lmia.journal import Journal
from lmia.memory_batches import Batches
from lmia.queries.oracle import LabelOracle


class Search(ABC):
    """Searches around inputs (m, *shape) in lock step, each until it gets to its end.

    done: rounds so far; x: the inputs, flat (m, d); crafted: (m, q, d), queries as they stand; reached: bools (m, q),
    whether each is at its end, and is left alone from then on. STATE: what a subclass keeps beside these.
    """

    STATE: ClassVar[tuple[str, ...]] = ()

    def __init__(self, inputs: torch.Tensor, n_queries: int):
        self.shape, self.x, self.done = inputs.shape[1:], inputs.flatten(1), 0
        self.crafted = self.x[:, None].repeat(1, n_queries, 1)
        self.reached = torch.zeros(self.crafted.shape[:2], dtype=torch.bool, device=inputs.device)

    def searched(self) -> torch.Tensor:
        """Places of the inputs that have a query which is not at its end, ints (k,)."""
        return (~self.reached.all(dim=1)).nonzero()[:, 0]

    @abstractmethod
    def advance(self) -> None:
        """One round for these."""

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Where the searches stand, as named arrays."""
        state = {f"search/{name}": getattr(self, name).cpu().numpy() for name in ("crafted", "reached", *self.STATE)}
        return state | {"search/done": np.array(self.done)}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on from what `to_arrays` gave."""
        for name in ("crafted", "reached", *self.STATE):
            setattr(self, name, torch.tensor(arrays[f"search/{name}"], device=self.x.device))
        self.done = int(arrays["search/done"])


def search_all(
    start: Callable[[torch.Tensor], Search],
    rounds: int,
    inputs: torch.Tensor,
    n_queries: int,
    progress: str | None,
    journal: Journal | None,
) -> tuple[np.ndarray, np.ndarray]:
    """(crafted floats (n, q, *shape), reached bools (n, q)) of searches of so many rounds at most.

    start: places of inputs, ints (m,) -> their `Search` at its beginning; inputs: (n, *shape) on their device;
    progress: label of a progress bar, None for none; journal: of these searches, None for none.
    """
    made, batches = _Made(inputs, n_queries, journal or Journal()), Batches()

    def found(rows: torch.Tensor) -> torch.Tensor:
        search = start(rows)
        made.resume(search, rows)
        while search.done < rounds and not search.reached.all():
            search.advance()
            search.done += 1
            made.save(search, rows)
        return torch.cat([search.crafted, search.reached[..., None].to(search.crafted)], dim=2)

    with tqdm(total=len(inputs), desc=progress, disable=progress is None, mininterval=2) as bar:
        size = LabelOracle.chunk(math.prod(inputs.shape[1:]), inputs.device)
        bar.update(made.done)
        for rows in torch.arange(made.done, len(inputs)).split(size):
            made.add(rows, batches.run(found, rows))
            bar.update(len(rows))
    return made.finish()


class _Made:
    """Queries for the first `done` of n inputs, kept in a journal with the search of the inputs after them."""

    def __init__(self, inputs: torch.Tensor, n_queries: int, journal: Journal):
        self._journal, self._kept, self._shape = journal, journal.get() or {}, inputs.shape[1:]
        n, kind = len(inputs), inputs[:0].cpu().numpy().dtype
        empty = np.zeros((n, n_queries, math.prod(self._shape)), kind)
        self._crafted = np.array(self._kept.get("crafted", empty))
        self._reached = np.array(self._kept.get("reached", np.zeros((n, n_queries), bool)))
        self.done = int(self._kept.get("done", 0))

    def add(self, rows: torch.Tensor, found: torch.Tensor) -> None:
        """Note the next inputs: found (m, q, d + 1), the queries, and whether each is at its end."""
        self._crafted[rows], self._reached[rows] = found[..., :-1].cpu().numpy(), found[..., -1].cpu().numpy() > 0
        self.done += len(rows)
        self._journal.save(self._to_arrays)

    def save(self, search: Search, rows: torch.Tensor) -> None:
        """Note also where the search around the inputs `rows` stands."""
        self._journal.save(lambda: self._to_arrays() | {"rows": rows.numpy()} | search.to_arrays())

    def resume(self, search: Search, rows: torch.Tensor) -> None:
        """Let the search go on from the journal, unless that was broken off in other rows, or between two searches."""
        if "rows" in self._kept and np.array_equal(self._kept["rows"], rows):
            search.restore(self._kept)

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """(crafted, reached), all of them."""
        self._journal.finish(self._to_arrays())
        return self._crafted.reshape(*self._crafted.shape[:2], *self._shape), self._reached

    def _to_arrays(self) -> dict[str, np.ndarray]:
        return {"crafted": self._crafted, "reached": self._reached, "done": np.array(self.done)}
