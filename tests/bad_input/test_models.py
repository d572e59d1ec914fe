"""Networks that cannot be trained, kept or asked: found on a few points before training, each with its message."""

import pytest
import torch
from torch import nn

from lmia.models import cnn, mlp, wide_resnet
from lmia.models.usability import check_model

SHAPE, N_CLASSES = (1, 8, 8), 10
INPUTS = torch.rand(12, *SHAPE, generator=torch.Generator().manual_seed(0))


class Network(nn.Module):
    """Logits of a linear layer, of which `change(network, logits, inputs)` makes the answer."""

    def __init__(self, change, width=N_CLASSES):
        super().__init__()
        self.change, self.linear = change, nn.Linear(64, width)
        self.outside = torch.rand(width)  # neither parameter nor buffer
        self.register_buffer("asked", torch.zeros(()))

    def forward(self, inputs):
        return self.change(self, self.linear(inputs.flatten(1)), inputs)


def answers(change, **options):
    return lambda shape, n_classes: Network(change, **options)


def counted(network, logits, inputs):
    network.asked += 1
    return logits * network.asked


def spoilt(network, logits, inputs):
    inputs.zero_()
    return logits


def frozen(shape, n_classes):
    return answers(lambda network, logits, inputs: logits)(shape, n_classes).requires_grad_(False)


def any_depth(shape, n_classes, _made=[]):  # noqa: B006
    _made.append(1)
    return nn.Sequential(nn.Flatten(), *[nn.Linear(64, 64) for _ in _made], nn.Linear(64, n_classes))


FAULTS = {
    "too wide": (
        answers(lambda n, z, x: z, width=11),
        r"shape \(8, 10\) for 8 inputs of 10 classes, got \(8, 11\); mend",
    ),
    "too narrow": (answers(lambda n, z, x: z, width=9), r"got \(8, 9\)"),
    "one score": (answers(lambda n, z, x: z, width=1), r"got \(8, 1\)"),
    "an axis too many": (answers(lambda n, z, x: z.softmax(1)[..., None]), r"got \(8, 10, 1\)"),
    "no batch": (answers(lambda n, z, x: z.flatten()), r"got \(80,\)"),
    "classes first": (answers(lambda n, z, x: z.T), r"got \(10, 8\)"),
    "the batch's mean": (answers(lambda n, z, x: z.mean(0, keepdim=True)), r"got \(1, 10\)"),
    "squeezed": (answers(lambda n, z, x: z.squeeze()), r"shape \(1, 10\) for 1 inputs of 10 classes, got \(10,\)"),
    "labels": (answers(lambda n, z, x: z.argmax(1)), "expected logits as a tensor of floats, got torch.int64"),
    "several outputs": (answers(lambda n, z, x: (z, z)), "got tuple"),
    "named outputs": (answers(lambda n, z, x: {"logits": z}), "got dict"),
    "nothing": (answers(lambda n, z, x: None), "got NoneType"),
    "arrays": (answers(lambda n, z, x: z.detach().numpy()), "got ndarray"),
    "extra outputs in training": (answers(lambda n, z, x: (z, z) if n.training else z), "got tuple"),
    "nan": (answers(lambda n, z, x: z * float("nan")), "expected finite logits, got nan of a fresh model"),
    "infinity": (answers(lambda n, z, x: z - float("inf")), "expected finite logits, got -inf"),
    "one nan": (answers(lambda n, z, x: z.masked_fill(z == z.max(), float("nan"))), "expected finite logits, got nan"),
    "dropout that stays on": (answers(lambda n, z, x: nn.functional.dropout(z, 0.5)), "when asked again; let nothing"),
    "noise": (answers(lambda n, z, x: z + 0.1 * torch.randn_like(z)), "when asked again"),
    "a count of questions": (answers(counted), "when asked again"),
    "inputs that it changes": (answers(spoilt), "when asked again"),
    "batch statistics": (answers(lambda n, z, x: z - z.mean(0)), "when asked alone; let no example see its batch"),
    "no number when asked again": (
        answers(lambda n, z, x: z + 0 * counted(n, z, x) / (n.asked < 2)),
        "when asked again; let nothing",
    ),
    "scaled by the batch's spread": (
        answers(lambda n, z, x: z if n.training else (z - z.mean(0)) / z.var(0, correction=0).sqrt()),
        "when asked alone; let no example see its batch",
    ),
    "position in the batch": (answers(lambda n, z, x: z + torch.arange(len(z))[:, None]), "when asked alone"),
    "numbers outside": (answers(lambda n, z, x: z * n.outside), r"once its parameters .* \(register_buffer\)"),
    "another depth each time": (any_depth, r"two models of one build\(\) differ in their parameters"),
    "no parameters": (lambda shape, n_classes: nn.Sequential(nn.Flatten(), nn.AdaptiveAvgPool1d(10)), "no parameters"),
    "frozen parameters": (frozen, "no parameters to train"),
    "no gradient": (answers(lambda n, z, x: z.detach()), "no gradient; do not detach"),
    "no module": (lambda shape, n_classes: lambda inputs: inputs, r"expected a torch.nn.Module from build\(\)"),
    "no return": (lambda shape, n_classes: None, "got NoneType"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_faults_of_models_are_found_on_a_few_points(case):
    build, message = FAULTS[case]
    before, state = INPUTS.clone(), torch.random.get_rng_state()
    with pytest.raises(ValueError, match=message):
        check_model(build, INPUTS, N_CLASSES)
    assert torch.equal(INPUTS, before) and torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize(
    "build", [mlp.build, lambda *to: cnn.build(*to, convolutions=1), lambda *to: wide_resnet.build(*to, depth=10)]
)
def test_our_own_models_pass(build):
    assert check_model(build, INPUTS, N_CLASSES) == []


def test_a_last_layer_of_zeros_passes():
    def build(shape, n_classes):
        model = mlp.build(shape, n_classes)
        nn.init.zeros_(model[-1].weight), nn.init.zeros_(model[-1].bias)
        return model

    assert check_model(build, INPUTS, N_CLASSES) == []


def test_probabilities_are_remarked_on():
    (line,) = check_model(answers(lambda n, z, x: z.softmax(1)), INPUTS, N_CLASSES)
    assert line.startswith("its answers look like probabilities; training expects logits")


def test_what_a_model_raises_passes():
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        check_model(lambda shape, n: nn.Sequential(nn.Flatten(), nn.Linear(65, n)), INPUTS, N_CLASSES)
