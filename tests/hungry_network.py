"""A network that runs out of a GPU's memory wherever a test is run."""

import torch


class Hungry(torch.nn.Module):
    """In whole numbers, so that no batch rounds otherwise; fails as a GPU does where more than `most` come at once."""

    def __init__(self, most=1 << 30):
        super().__init__()
        draw = torch.Generator().manual_seed(0)
        self.layer, self.most, self.failures = torch.nn.Linear(64, 3).double(), most, 0
        with torch.no_grad():
            self.layer.weight.copy_(torch.randint(-8, 9, (3, 64), generator=draw))
            self.layer.bias.zero_()

    def forward(self, x):
        if len(x) > self.most:
            self.failures += 1
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return self.layer((x.flatten(1).double() * 256).round())
