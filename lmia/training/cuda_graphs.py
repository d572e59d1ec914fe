"""Capture a training step as a CUDA graph, which saves the time of launching its hundreds of small kernels."""

import random
from collections import Counter
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch

WARM_UP = 3  # steps with each size of batch before one is captured: libraries choose their kernels meanwhile

Step: TypeAlias = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # (inputs, classes) -> loss


class GraphedStep:
    """A training step that is captured once for each size of batch, and replayed from then on.

    It gives what the step itself gives, bit for bit, where the step does the same to every batch. Three kinds of steps
    are never captured: one that draws from the CPU's global random streams, as a replay would draw the same numbers for
    ever; one that puts new tensors where others were; and one that cannot be, as it waits for the GPU or has no room
    for two. Once batches of one size turn out to do such things, what was captured for others is dropped.

    step: moves the weights of a model, and returns the loss, a detached scalar; tensors: () -> those that it changes,
    by name, as `moving_tensors` of `lmia.training.resumable_state`; capture: (step, inputs, classes) -> a step that
    replays what was captured, none of which is done before.
    """

    def __init__(
        self,
        step: Step,
        tensors: Callable[[], dict[str, torch.Tensor]],
        capture: Callable[[Step, torch.Tensor, torch.Tensor], Step] | None = None,
    ):
        self._step, self._tensors, self._capture = step, tensors, capture or capture_graph
        self._captured: dict[int, Step] = {}
        self._seen: Counter[int] = Counter()
        self._may_capture = True

    def __call__(self, inputs: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        size = len(inputs)
        if size not in self._captured and self._may_capture and self._seen[size] >= WARM_UP:
            self._try_to_capture(inputs, classes)
        return self._captured.get(size, self._watched if self._may_capture else self._step)(inputs, classes)

    def _try_to_capture(self, inputs, classes):
        try:
            self._captured[len(inputs)] = self._capture(self._step, inputs, classes)
        except RuntimeError as error:
            print(f"training steps cannot be captured as CUDA graphs, and run kernel by kernel: {error}")
            self._give_up()
            for tensor in self._tensors().values():
                tensor.grad = None  # what a capture leaves there was never computed

    def _give_up(self):
        self._may_capture = False
        self._captured.clear()

    def _watched(self, inputs, classes):
        """The step itself."""
        self._seen[len(inputs)] += 1
        before = self._outside()
        loss = self._step(inputs, classes)
        if self._outside() != before:
            self._give_up()
        return loss

    def _outside(self):
        """What a captured step cannot change: the CPU's global random streams, and where the tensors lie."""
        numpy_state = np.random.get_state(legacy=False)  # noqa: NPY002 - a plug-in may draw from it
        streams = torch.get_rng_state().numpy().tobytes(), random.getstate(), repr(numpy_state)
        return streams, [tensor.data_ptr() for tensor in self._tensors().values()]


def capture_graph(step: Step, inputs: torch.Tensor, classes: torch.Tensor) -> Step:
    """The step as a CUDA graph, for batches of this shape.

    Raises RuntimeError where the step waits for the GPU.
    """
    inputs, classes = inputs.clone(), classes.clone()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = step(inputs, classes)

    def replay(new_inputs, new_classes):
        inputs.copy_(new_inputs)
        classes.copy_(new_classes)
        graph.replay()
        return loss.clone()  # its memory is the next replay's

    return replay
