"""What all defenses derive from."""

import torch
from torch import nn


class Defense:
    """Changes nothing. One object trains one model."""

    epochs = None  # train for exactly so many; None: until the training loss stops falling
    copies = 1  # times that each example is seen in an epoch, each time as a `view` of its own
    channels_last = True  # whether images may lie so in memory, which is faster
    decay = 0.0  # weight decay of the optimizer

    def check(self, shape):
        """Raise ValueError where inputs of `shape` (without the batch) cannot be trained on so."""

    def supply(self, reference, source):
        """Before `prepare`: what training may need besides the members. Neither is computed unless it is called.

        reference: () -> (inputs (m, *shape), classes (m,)) of as many points as there are members, or are left, that
        are neither members nor the non-members that the model is compared on; source: () -> name -> float32 array, the
        weights of another study's model, by the names of `state_dict`.
        """

    def prepare(self, model, n_classes, n_members):
        """Before training, on a new model in training mode: add hooks, set weights or freeze them."""

    def batches(self, n, batch_size):
        """Indices, int64 (m,), of the batches of one epoch over n views.

        From torch's global stream for the CPU alone: all at once, or each as it is its turn; see `Progress.rest` of
        `lmia.training.state`.
        """
        return torch.randperm(n).split(batch_size)

    def view(self, inputs, rows, copies):
        """What a batch shows, (m, *shape): examples `rows` (m,) of `inputs`, for the copies-th time (m,) this epoch."""
        return inputs[rows]

    def loss(self, model, inputs, classes):
        """The scalar loss of a batch; in bfloat16 where training is."""
        return nn.functional.cross_entropy(model(inputs), classes)

    def penalty(self, model):
        """Added to the training loss, always in float32: 0."""
        return 0.0

    def stepper(self, model):
        """None for the training's optimizer, or a function (inputs, classes) -> loss that moves the weights."""
        return None

    def tensors(self):
        """What changes in training beside the model, name -> tensor, once `stepper` was called.

        Training that was killed goes on with these as they were after a batch: a defense that remembers anything from
        one batch to the next must name it here, and draw from no stream but torch's global one.
        """
        return {}

    def finish(self, model):
        """After training: take away what `prepare` added."""

    def report(self):
        """Numbers to keep with the model, name -> float, as what it guarantees."""
        return {}

    def mask(self, confidences):
        """The confidences (n, n_classes) themselves."""
        return confidences
