"""Votes over noisy copies: what they answer, that it is the same for all who ask, and that asked models give it."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from lmia import artifacts
from lmia.box import Box
from lmia.defenses import ldl
from lmia.journal import Journal
from lmia.models import mlp
from lmia.models.asked_models import TrainedModels
from lmia.models.voting import COPIES, SIGMA, Voting, as_answered, as_trained
from lmia.queries.oracle import LabelOracle
from lmia.splits import draw_block
from lmia.training.one_role import train_block
from lmia.training.options import TrainingOptions


class Step(nn.Module):
    """Class 1 where the first value is above one half."""

    def forward(self, inputs):
        first = inputs.flatten(1)[:, :1]
        return 20 * torch.cat([0.5 - first, first - 0.5], 1)


@pytest.mark.parametrize("shape", [(5,), (1, 4, 3)])
def test_the_label_is_what_most_copies_get(shape):
    rng, model = np.random.default_rng(0), Voting(Step(), shape, 0.3, 9)
    inputs = torch.from_numpy(rng.random((40, *shape), dtype=np.float32))
    copies = (inputs[:, None] + model.noise[None]).clamp(0, 1)
    votes = torch.stack([Step()(copies[:, k]).argmax(1) for k in range(9)], 1)
    answered = model(inputs)
    assert torch.equal(answered.argmax(1), (votes.double().mean(1) > 0.5).long())
    assert (votes.float().std(1) > 0).any()  # they do not all agree
    torch.testing.assert_close(answered.exp().sum(1), torch.ones(40))
    shares = answered.exp()[:, 1] * 10 - votes.sum(1)
    assert (shares > 0).all() and (shares < 1).all()  # the mean probability is one vote more


def test_equally_many_votes_are_decided_by_the_mean_probability():
    model = Voting(Step(), (1,), 0.3, 2)
    model.noise.copy_(torch.tensor([[-0.1], [0.2]]))
    assert model(torch.tensor([[0.5]])).argmax().item() == 1
    model.noise.copy_(torch.tensor([[-0.2], [0.1]]))
    assert model(torch.tensor([[0.5]])).argmax().item() == 0


def test_who_asks_again_or_with_others_gets_the_same():
    inputs = torch.rand(30, 6, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(1)
    one = Voting(Step(), (6,), 0.5, 5)(inputs)
    torch.manual_seed(2)
    other = Voting(Step(), (6,), 0.5, 5)
    assert torch.equal(one, other(inputs)) and torch.equal(one[7:8], other(inputs[7:8]))


def test_copies_stay_in_the_box_and_noise_has_its_unit():
    seen = []

    class Watched(Step):
        def forward(self, inputs):
            seen.append(inputs.clone())
            return super().forward(inputs)

    inputs, box = torch.zeros(3, 2), Box(np.array([-8.0, -1.0]), np.array([8.0, 3.0]))
    model = Voting(Watched(), (2,), 0.5, 400, box)
    model(inputs)
    copies = torch.cat(seen)
    assert copies[:, 0].abs().max() <= 8 and copies[:, 1].min() == -1 and copies[:, 1].max() == 3
    assert torch.equal(inputs, torch.zeros(3, 2))
    assert model.noise.std().item() == pytest.approx(0.5 * box.size, rel=0.06)


def test_a_model_without_votes_is_itself():
    step = Step()
    assert as_answered(step, {"epsilon": 1.0}, (2,)) is step
    assert ldl.Defense(sigma=0.2, copies=7).report() == {COPIES: 7, SIGMA: 0.2}


def test_accuracies_and_all_who_ask_see_the_votes(tmp_path):
    rng = np.random.default_rng(3)
    data = {"inputs": rng.random((200, 6), dtype=np.float32), "classes": rng.integers(0, 3, 200)}
    split = draw_block("disjoint", 200, 30, [0, 1], "target")
    options = TrainingOptions(learning_rate=0.003, batch_size=10, max_epochs=60, min_delta=0.0, patience=60)

    def trained(defense):
        given = (split, [0, 1], "target", defense, options, {}, torch.device("cpu"), Journal())
        return train_block(mlp.build, data, *given)

    arrays = trained(lambda: ldl.Defense(sigma=0.5, copies=9))
    for name, kind, content in (("data", "dataset", data), ("split", "split", split), ("model", "model", arrays)):
        artifacts.save(tmp_path / f"{name}.npz", kind, content, {})
    files = SimpleNamespace(
        **{
            name: tmp_path / f"{file}.npz"
            for name, file in (("dataset", "data"), ("split", "split"), ("model", "model"))
        }
    )
    params = SimpleNamespace(model={"kind": "mlp"}, seeds="0-1", evaluated=None, pool=None)
    changed = 0
    for row, subject in enumerate(TrainedModels(files, params, torch.device("cpu"), threads=1)):
        assert isinstance(subject.network, Voting) and len(subject.network.noise) == 9
        n = len(subject.inputs)
        labels = LabelOracle(subject.network, n, budget=1)(subject.inputs, np.arange(n))
        is_member = np.isin(subject.ids, split["members"][row])
        right = labels.numpy() == subject.classes
        assert arrays["train_accuracy"][row] == pytest.approx(right[is_member].mean())
        assert arrays["test_accuracy"][row] == pytest.approx(right[~is_member].mean())
        changed += (subject.network.trained(subject.inputs).argmax(1) != labels).sum()
    assert changed


def test_gradients_are_numbers_where_no_copy_gives_a_class_a_chance():
    class Sure(Step):
        def forward(self, inputs):
            return 1e4 * super().forward(inputs)

    inputs = torch.rand(6, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()
    logits = Voting(Sure(), (5,), 0.01, 3)(inputs)
    (gradients,) = torch.autograd.grad(logits.sum(), inputs)
    assert gradients.isfinite().all() and logits.isfinite().all()


def test_features_are_those_of_the_network_as_it_was_trained():
    step = Step()
    assert as_trained(Voting(step, (5,), 0.1, 3)) is step and as_trained(step) is step
