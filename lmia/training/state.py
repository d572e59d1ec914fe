"""Where training stands, as arrays that it can be taken up from."""

import numpy as np
import torch


def moving_tensors(model, optimizer, defense):
    """All tensors that change in training, by name.

    optimizer: one of `optimizers`, None where the defense moves the weights; defense: after its `stepper`.
    """
    named = {f"model/{name}": tensor for name, tensor in (*model.named_parameters(), *model.named_buffers())}
    named |= {f"optimizer/{number}": tensor for number, tensor in enumerate(optimizer.tensors() if optimizer else ())}
    return named | {f"defense/{name}": tensor for name, tensor in defense.tensors().items()}


class Progress:
    """How far training has come: the mean losses of its epochs, and of the present one the batches that are done.

    tensors: () -> those of `moving_tensors`, asked each time, as a model may put a new tensor where a buffer was; kept:
    what `to_arrays` gave, which they and the random streams are put back to, None for a training that begins.

    losses: floats, one for each epoch that has ended.
    """

    def __init__(self, tensors, kept=None):
        self._tensors = tensors
        self.losses, self._begun, self._batch_losses, self._sizes = [], None, [], []
        if kept is not None:
            self._restore(kept)

    def rest(self, batches):
        """Yields the batches of the present epoch that are not done.

        batches: () -> all batches of an epoch, which draw from torch's stream for the CPU alone. Those that are done
        are drawn once more from where the epoch began, so that what was drawn for all at its beginning is known again;
        what is drawn for each batch goes on from where the stream was left.
        """
        now = torch.get_rng_state()
        if not self._sizes:
            self._begun = now
            yield from batches()
            return
        torch.set_rng_state(self._begun)
        coming = iter(batches())
        for _ in self._sizes:
            next(coming)
        torch.set_rng_state(now)
        yield from coming

    def note(self, loss, size):
        """A batch is done. loss: a scalar tensor, read only where it is needed; size: its examples."""
        self._batch_losses.append(loss)
        self._sizes.append(size)

    def end_epoch(self):
        """All batches are done: their mean loss per example joins `losses`, which a device is asked for only now."""
        weighted = zip(torch.stack(self._batch_losses).tolist(), self._sizes, strict=True)
        self.losses.append(sum(loss * size for loss, size in weighted) / sum(self._sizes))
        self._batch_losses, self._sizes = [], []

    def to_arrays(self):
        """Tensors, losses and random streams, as named arrays."""
        arrays = {name: tensor.detach().cpu().numpy().copy() for name, tensor in self._tensors().items()}
        arrays |= {"losses": np.array(self.losses), "random": torch.get_rng_state().numpy()}
        if device := self._gpu():
            arrays["random_gpu"] = torch.cuda.get_rng_state(device).numpy()
        if self._sizes:
            losses = torch.stack(self._batch_losses).cpu().numpy()
            arrays |= {"begun": self._begun.numpy(), "batch_losses": losses, "sizes": np.array(self._sizes)}
        return arrays

    def _restore(self, arrays):
        with torch.no_grad():
            for name, tensor in self._tensors().items():
                tensor.copy_(torch.from_numpy(arrays[name]))
        torch.set_rng_state(torch.from_numpy(arrays["random"]))
        if device := self._gpu():
            torch.cuda.set_rng_state(torch.from_numpy(arrays["random_gpu"]), device)
        self.losses = arrays["losses"].tolist()
        if "sizes" in arrays:
            self._begun, self._sizes = torch.from_numpy(arrays["begun"]), arrays["sizes"].tolist()
            device = next(iter(self._tensors().values())).device
            self._batch_losses = list(torch.from_numpy(arrays["batch_losses"]).to(device).unbind())

    def _gpu(self):
        return next((tensor.device for tensor in self._tensors().values() if tensor.is_cuda), None)
