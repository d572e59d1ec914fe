"""Losses, weights, labels and stopping: each defense against what its paper says."""

import numpy as np
import pytest
import torch
from torch import nn

from lmia.defenses import hamp
from lmia.training.loop import train
from lmia.training.options import TrainingOptions
from tests.defenses.small_task import BUILD, DEFENSES, OPTIONS, SHAPE, N, defend, draw, fit, fresh


@pytest.mark.parametrize("kind", DEFENSES)
def test_equal_arguments_give_equal_bytes(kind):
    """Whatever the global state, which stays as it was; the model is built again without the defense."""
    runs = []
    for state in (3, 4):
        torch.manual_seed(state)
        before = torch.get_rng_state()
        model, losses = fit(defend(kind, **DEFENSES[kind]))
        assert torch.equal(torch.get_rng_state(), before)
        runs.append([losses.tobytes(), *(value.numpy().tobytes() for value in model.state_dict().values())])
        again = fresh(7)
        again.load_state_dict(model.state_dict())
        with torch.inference_mode():
            torch.testing.assert_close(again.eval()(draw()[0]), model(draw()[0]))
    assert runs[0] == runs[1]
    assert fit(defend(kind, **DEFENSES[kind]), seed=1)[1].tobytes() != runs[0][0]


@pytest.mark.parametrize("layers", ["dense", "all"])
@pytest.mark.parametrize("kind, norm", [("l1", torch.abs), ("l2", torch.square)])
def test_norms_join_the_loss(kind, norm, layers):
    """The first loss of a single batch is known before any step."""
    _, losses = fit(defend(kind, strength=0.3, layers=layers), batch_size=N, max_epochs=1)
    model, (inputs, classes) = fresh(), draw()
    taken = [m for m in model.modules() if isinstance(m, nn.Linear) or (layers == "all" and isinstance(m, nn.Conv2d))]
    expected = nn.functional.cross_entropy(model(inputs), classes) + 0.3 * sum(norm(m.weight).sum() for m in taken)
    np.testing.assert_allclose(losses[0], expected.item(), rtol=1e-5)
    with pytest.raises(ValueError, match="layers: some: expected one of dense, all"):
        fit(defend(kind, strength=1, layers="some"))


def test_dropout_drops_inputs_of_dense_layers_but_not_the_models_own():
    seen = []

    class Watched(nn.Linear):
        def forward(self, x):
            seen.append(x.detach())
            return super().forward(x)

    def build(shape, n_classes):
        return nn.Sequential(Watched(shape[0], 300), nn.Sigmoid(), Watched(300, n_classes))

    model, _ = train(build, *draw((7,)), 3, 0, defend("dropout", rate=0.3), TrainingOptions(**OPTIONS))
    assert all((x == 0).sum() == 0 for x in seen[::2])  # the inputs themselves are all above 0
    zeros = [(x == 0).float().mean().item() for x in seen[1::2]]
    assert abs(np.mean(zeros) - 0.3) < 0.01 and np.std(zeros) > 0
    seen.clear()
    model(draw((7,))[0])
    assert not (seen[1] == 0).any()


def test_weight_decay_is_adamw():
    model, _ = fit(defend("weight_decay", strength=5.0))
    torch.manual_seed(0)
    reference, (inputs, classes) = BUILD(SHAPE, 3), draw()
    optimizer = torch.optim.AdamW(reference.parameters(), lr=1e-3, weight_decay=5.0)
    for _ in range(5):
        for batch in torch.randperm(N).split(20):
            optimizer.zero_grad()
            nn.functional.cross_entropy(reference(inputs[batch]), classes[batch]).backward()
            optimizer.step()
    for ours, theirs in zip(model.state_dict().values(), reference.state_dict().values(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)


def test_early_stopping_asks_no_loss():
    assert len(fit(defend("early_stopping", epochs=9))[1]) == 9  # although max_epochs is 5
    assert len(fit(defend("early_stopping", epochs=3), patience=1, min_delta=10.0)[1]) == 3


def test_label_smoothing_by_hand():
    _, losses = fit(defend("label_smoothing", amount=0.3), batch_size=N, max_epochs=1)
    inputs, classes = draw()
    logs = fresh()(inputs).log_softmax(1)
    target = torch.full((N, 3), 0.1) + 0.7 * nn.functional.one_hot(classes, 3)
    np.testing.assert_allclose(losses[0], -(target * logs).sum(1).mean().item(), rtol=1e-5)


@pytest.mark.parametrize("n_classes", [2, 3, 10, 100])
@pytest.mark.parametrize("entropy", [0.05, 0.5, 0.95])
def test_soft_labels_of_hamp_have_the_entropy_that_was_asked_for(n_classes, entropy):
    top = hamp.true_share(entropy, n_classes)
    soft = np.array([top, *[(1 - top) / (n_classes - 1)] * (n_classes - 1)])
    assert -(soft * np.log(soft)).sum() == pytest.approx(entropy * np.log(n_classes)) and top > 1 / n_classes


def test_hamp_by_hand():
    _, losses = fit(defend("hamp", entropy=0.5, strength=0.3), batch_size=N, max_epochs=1)
    inputs, classes = draw()
    logs, top = fresh()(inputs).log_softmax(1), hamp.true_share(0.5, 3)
    target = torch.full((N, 3), (1 - top) / 2) + (top - (1 - top) / 2) * nn.functional.one_hot(classes, 3)
    divergence = (target * (target.log() - logs)).sum(1).mean()
    entropy = -(logs.exp() * logs).sum(1).mean()
    np.testing.assert_allclose(losses[0], (divergence - 0.3 * entropy).item(), rtol=1e-5)


def test_confidences_under_hamp_tell_the_order_alone():
    confidences = torch.tensor([[0.7, 0.1, 0.2], [0.2, 0.5, 0.3], [0.4, 0.4, 0.2]])
    masked = defend("hamp", entropy=0.5, strength=0.0).mask(confidences)
    torch.testing.assert_close(masked, torch.tensor([[3.0, 1, 2], [1, 3, 2], [3, 2, 1]]) / 6)
    assert defend("hamp", entropy=0.5, strength=0.0, masks=False).mask(confidences) is confidences


def test_mixup_mixes_pairs_in_one_share_of_a_batch():
    """Unit vectors tell who was mixed with whom, and how much."""
    seen, losses, shares = [], [], []

    class Linear(nn.Linear):
        def forward(self, x):
            seen.append(x.detach())
            return super().forward(x)

    inputs, classes = torch.eye(20), torch.arange(20) % 3
    defense, model = defend("mixup", alpha=0.5), Linear(20, 3)
    torch.manual_seed(0)
    for _ in range(400):
        losses.append(defense.loss(model, inputs, classes).item())
        mixed = seen[-1]
        row = (mixed.diagonal() < 1 - 1e-6).nonzero()[0, 0]  # one who was not mixed with itself
        share, partner = mixed[row, row].item(), (mixed - mixed.diagonal().diag()).argmax(1)
        alone = torch.isclose(mixed.diagonal(), torch.ones(20))
        partner[alone] = torch.arange(20)[alone]
        torch.testing.assert_close(mixed, share * inputs + (1 - share) * inputs[partner])
        logs = model(mixed).log_softmax(1)
        expected = share * logs[torch.arange(20), classes] + (1 - share) * logs[torch.arange(20), classes[partner]]
        np.testing.assert_allclose(losses[-1], -expected.mean().item(), rtol=1e-5)
        shares.append(share)
    # Beta(1/2, 1/2): mean 1/2, variance 1/8, a third below 1/4
    assert abs(np.mean(shares) - 0.5) < 0.07 and abs(np.var(shares) - 0.125) < 0.02
    assert abs(np.mean(np.array(shares) < 0.25) - 1 / 3) < 0.09
