"""The labels of a model by a copy in reduced precision, and by the model itself where the copy may be wrong.

Rounding moves logits a little. Where the copy's largest logit leads by more than rounding has been seen to move it, the
copy's label is the model's. All others are asked again in full, so labels are those of full precision, in less time.
Where it would take no less time, all are asked in full: near the boundary few leads are large enough.
"""

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

Logits = Callable[[torch.Tensor], torch.Tensor]  # inputs (m, *shape) -> logits (m, n_classes)

AUDITED = 32  # one of so many passes of reduced precision is repeated in full; more of the first ones
MARGIN = 1.5  # a lead is large enough if it exceeds the largest error that an audit has found by this factor
PAYS = 0.9  # of the time that full precision takes, at most
RECENT = 0.25  # weight of the newest audit in the share of leads that are too small: it changes as a search goes on


class MixedPrecision:
    """Labels of two precisions.

    Args:
        full: Logits as they count.
        rounded: Those of the copy.
        clock: () -> seconds, once all that was begun has ended.
    """

    def __init__(
        self,
        full: Logits,
        rounded: Logits,
        clock: Callable[[], float] = time.process_time,
    ):
        self._full, self._clock = full, clock
        self._rounded: Logits | None = rounded  # None once it has proved not to work
        self._passes, self._audited, self._differing = 0, 0, 0
        self._error, self._unsure = np.nan, 1.0  # the largest of a lead; share of leads that are too small
        self._seconds = np.zeros(2)  # of all audits: in full, rounded

    @property
    def disagreement(self) -> float | None:
        """Share of the audited labels that would have been taken from the copy, and were wrong; None before."""
        return self._differing / self._audited if self._audited else None

    @property
    def pays(self) -> bool:
        """Whether the copy, with the model where a lead is too small, takes less time than the model alone."""
        full, rounded = self._seconds
        return bool(rounded + self._unsure * full < PAYS * full)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """What has been found so far, as named arrays."""
        counts = np.array([self._passes, self._audited, self._differing])
        return {"audit": counts, "rounding": np.array([self._error, self._unsure, *self._seconds])}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on from what `to_arrays` gave."""
        self._passes, self._audited, self._differing = arrays["audit"].tolist()
        self._error, self._unsure = arrays["rounding"][:2].tolist()
        self._seconds = arrays["rounding"][2:].copy()

    def labels(self, parts: Sequence[torch.Tensor]) -> torch.Tensor:
        """Labels (m,), int64, of all inputs together, which come in parts that each fit one pass."""
        found, sure = (torch.cat(of) for of in zip(*map(self._pass, parts), strict=True))
        again = sure.logical_not().nonzero()[:, 0].cpu()
        if len(again):
            inputs = torch.cat(list(parts))[again.to(parts[0].device)]
            full = [self._full(part).max(1).indices for part in inputs.split(max(map(len, parts)))]
            found[again.to(found.device)] = torch.cat(full)
        return found

    def _pass(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(labels, whether each is sure)."""
        number, self._passes = self._passes, self._passes + 1
        is_audited = number < 2 or number.bit_count() == 1 or self.pays and number % AUDITED == 0
        if self._rounded and self.pays and not is_audited:
            lead, _, classes = _leads(self._rounded(inputs))
            return classes, self._is_large(lead)
        full = self._audit(inputs, self._rounded) if self._rounded and is_audited else self._full(inputs)
        labels = full.max(1).indices
        return labels, torch.ones_like(labels, dtype=torch.bool)

    def _audit(self, inputs: torch.Tensor, ask_rounded: Logits) -> torch.Tensor:
        """The logits in full; how long they take and the copy's, and by how much the copy's leads are wrong."""
        is_first = not self._audited
        try:
            if is_first:  # what is made at a first call takes its time
                ask_rounded(inputs)
                self._full(inputs)
            start = self._clock()
            rounded = ask_rounded(inputs)
            between = self._clock()
        except RuntimeError as error:  # an operation that there is not in this type
            print(f"all labels are asked in full precision, as there is no reduced one: {error}")
            self._rounded = None
            return self._full(inputs)
        full = self._full(inputs)
        self._seconds += self._clock() - between, between - start
        lead, scale, classes = _leads(rounded)
        self._audited += len(inputs)
        self._differing += int((self._is_large(lead) & (classes != full.max(1).indices)).sum())
        own = full.gather(1, classes[:, None])
        others = full.scatter(1, classes[:, None], -torch.inf).max(1).values
        errors = (lead - (own[:, 0] - others) / scale).abs().nan_to_num(nan=torch.inf)
        self._error = float(np.fmax(self._error, float(errors.max())))
        unsure = 1 - float(self._is_large(lead).float().mean())
        self._unsure = unsure if is_first else (1 - RECENT) * self._unsure + RECENT * unsure
        return full

    def _is_large(self, leads: torch.Tensor) -> torch.Tensor:
        return leads > MARGIN * self._error  # never where one of them is no number


def _leads(logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(lead of the largest logit over the second, in units of the scale; scale: the largest magnitude; class)."""
    largest, classes = logits.float().topk(min(2, logits.shape[1]), dim=1)
    scale = logits.float().abs().max(1).values
    return (largest[:, 0] - largest[:, -1]) / scale, scale, classes[:, 0]  # of a single class there is no lead
