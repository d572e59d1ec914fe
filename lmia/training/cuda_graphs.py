"""Training steps that a GPU replays: telling it their hundreds of kernels one by one takes longer than they do."""

import random
from collections import Counter

import numpy as np
import torch

WARM_UP = 3  # steps with each size of batch before one is recorded: libraries choose their kernels meanwhile


class Replayed:
    """A step (inputs, classes) -> loss that is recorded for each size of batch, and replayed from then on.

    It gives what the step itself gives, bit for bit, where the step does the same to every batch. One that draws from
    the CPU's global random streams is never recorded, as a replay would draw the same numbers for ever, nor one that
    puts new tensors where others were, nor one that cannot be, as it waits for the GPU or has no room for two. Once
    batches of one size turn out to do such things, what was recorded for others is dropped.

    step: moves the weights of a model, and returns the loss, a detached scalar; tensors: () -> those that it changes,
    as `moving_tensors` of `lmia.training.state` names them; record: (step, inputs, classes) -> a step that replays what
    was recorded, none of which is done before.
    """

    def __init__(self, step, tensors, record=None):
        self._step, self._tensors, self._record = step, tensors, record or record_graph
        self._recorded, self._seen = {}, Counter()
        self._may = True

    def __call__(self, inputs, classes):
        size = len(inputs)
        if size not in self._recorded and self._may and self._seen[size] >= WARM_UP:
            self._try_to_record(inputs, classes)
        return self._recorded.get(size, self._watched if self._may else self._step)(inputs, classes)

    def _try_to_record(self, inputs, classes):
        try:
            self._recorded[len(inputs)] = self._record(self._step, inputs, classes)
        except RuntimeError as error:
            print(f"training steps cannot be recorded, and are told the GPU one by one: {error}")
            self._give_up()
            for tensor in self._tensors():
                tensor.grad = None  # what a recording leaves there was never computed

    def _give_up(self):
        self._may = False
        self._recorded.clear()

    def _watched(self, inputs, classes):
        """The step itself."""
        self._seen[len(inputs)] += 1
        before = self._beside()
        loss = self._step(inputs, classes)
        if self._beside() != before:
            self._give_up()
        return loss

    def _beside(self):
        """What a recorded step cannot change: the CPU's global random streams, and where the tensors lie."""
        _, keys, *rest = np.random.get_state()  # noqa: NPY002 - a plug-in may draw from it
        streams = torch.get_rng_state().numpy().tobytes(), random.getstate(), keys.tobytes(), rest
        return streams, [tensor.data_ptr() for tensor in self._tensors()]


def record_graph(step, inputs, classes):
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
