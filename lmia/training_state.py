"""Where training stands, as arrays that it can be taken up from."""

import numpy as np
import torch


def moving_tensors(model, optimizer, defense):
    """All tensors that change in training, by name.

    optimizer: one of `lmia.optimizers`, None where the defense moves the weights; defense: after its `stepper`.
    """
    named = {f"model/{name}": tensor for name, tensor in (*model.named_parameters(), *model.named_buffers())}
    named |= {f"optimizer/{number}": tensor for number, tensor in enumerate(optimizer.tensors() if optimizer else ())}
    return named | {f"defense/{name}": tensor for name, tensor in defense.tensors().items()}


def to_arrays(tensors, losses):
    """Their values, the losses of the epochs so far, and the random streams, as named arrays."""
    arrays = {name: tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}
    arrays |= {"losses": np.array(losses), "random": torch.get_rng_state().numpy()}
    if device := _gpu(tensors):
        arrays["random_gpu"] = torch.cuda.get_rng_state(device).numpy()
    return arrays


def restore(tensors, arrays):
    """Put tensors and streams into the state that `to_arrays` gave, and return the losses."""
    with torch.no_grad():
        for name, tensor in tensors.items():
            tensor.copy_(torch.from_numpy(arrays[name]))
    torch.set_rng_state(torch.from_numpy(arrays["random"]))
    if device := _gpu(tensors):
        torch.cuda.set_rng_state(torch.from_numpy(arrays["random_gpu"]), device)
    return arrays["losses"].tolist()


def _gpu(tensors):
    return next((tensor.device for tensor in tensors.values() if tensor.is_cuda), None)
