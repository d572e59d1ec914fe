"""Labels by two precisions: those of the full one, in less time where the reduced one is faster and sure."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lmia.perturbations.gaussian import Perturbation
from lmia.queries.fixed_queries import ask_fixed
from lmia.queries.mixed_precision import MixedPrecision
from lmia.queries.oracle import AUTO, LabelOracle
from lmia.streams import streams


class Timed:
    """Two ways to the same logits, each with its cost on a clock of their own, and what they were asked.

    Inputs (m, 3) are the logits; the copy's are off by `error` at most.
    """

    def __init__(self, cost=0.3, error=0.01, seed=0):
        self.cost, self.error, self.time = cost, error, 0.0
        self.asked = {"full": 0, "rounded": 0}
        self.draws = torch.Generator().manual_seed(seed)

    def full(self, inputs):
        self.time += len(inputs)
        self.asked["full"] += len(inputs)
        return inputs

    def rounded(self, inputs):
        self.time += self.cost * len(inputs)
        self.asked["rounded"] += len(inputs)
        off = self.error * (2 * torch.rand(inputs.shape, generator=self.draws) - 1)
        return inputs + off

    def mixed(self):
        return MixedPrecision(self.full, self.rounded, lambda: self.time)


def logits(n, gap, seed=0):
    """(n, 3), whose two largest are about `gap` apart."""
    draws = np.random.default_rng(seed)
    found = np.sort(draws.uniform(1, 2, (n, 3)), axis=1)
    found[:, 2] = found[:, 1] + gap * draws.uniform(0, 2, n)
    return torch.from_numpy(draws.permuted(found, axis=1).astype(np.float32))


def ask(mixed, inputs, calls=40, parts=4):
    """Labels of the inputs, asked again and again."""
    return [mixed.labels(inputs.tensor_split(parts)) for _ in range(calls)]


@settings(deadline=None, max_examples=40)
@given(st.floats(1e-3, 1.0), st.floats(1e-4, 0.05), st.floats(0.05, 2.0), st.integers(0, 99))
def test_labels_are_those_of_the_full_precision(gap, error, cost, seed):
    timed, inputs = Timed(cost, error, seed), logits(400, gap, seed)
    mixed = timed.mixed()
    labels = torch.stack(ask(mixed, inputs))
    assert (labels == inputs.argmax(1)).all() and mixed.disagreement == 0


def test_where_leads_are_large_the_model_is_asked_for_audits_alone():
    timed, inputs = Timed(), logits(400, 1.0)
    mixed = timed.mixed()
    before = ask(mixed, inputs, calls=8) and dict(timed.asked)  # passes 0 to 31
    ask(mixed, inputs, calls=40)  # 160 passes, of which 32, 64, 96, 128 and 160 are audited
    assert mixed.pays and timed.asked["rounded"] - before["rounded"] == 160 * 100
    small = timed.asked["full"] - before["full"] - 5 * 100
    assert 5 * 100 <= timed.asked["full"] - before["full"] and 0 <= small < 0.05 * 160 * 100
    assert timed.time < 0.6 * 192 * 100


@pytest.mark.parametrize("cost, gap", [(0.95, 1.0), (0.3, 0.001)], ids=["a slow copy", "small leads"])
def test_where_it_does_not_pay_the_copy_is_asked_for_a_few_audits_alone(cost, gap):
    timed, inputs = Timed(cost), logits(400, gap)
    mixed = timed.mixed()
    labels = ask(mixed, inputs, calls=64)  # 256 passes
    assert not mixed.pays and (torch.stack(labels) == inputs.argmax(1)).all()
    assert timed.asked["rounded"] <= (1 + 9) * 100  # passes 0, 1, 2, 4 ... 128, the first of them twice
    assert timed.asked["full"] == 257 * 100


def test_it_pays_no_longer_once_a_search_is_near_the_boundary():
    timed = Timed()
    mixed = timed.mixed()
    ask(mixed, logits(400, 1.0))
    assert mixed.pays
    ask(mixed, logits(400, 0.001), calls=200)
    assert not mixed.pays


def test_audited_labels_are_the_models_and_what_would_have_been_wrong_is_counted():
    timed, inputs = Timed(error=0.001), logits(400, 0.1)
    mixed = timed.mixed()
    ask(mixed, inputs, calls=5)  # passes 0 to 19
    timed.error = 0.5  # beyond all that was seen
    wrong = torch.stack(ask(mixed, inputs, calls=3)) != inputs.argmax(1)  # to pass 31, none of which is audited
    assert wrong.any() and mixed.disagreement == 0
    labels = ask(mixed, inputs, calls=1)[0]
    assert (labels[:100] == inputs[:100].argmax(1)).all() and 0 < mixed.disagreement < 0.2
    assert (torch.stack(ask(mixed, inputs)) == inputs.argmax(1)).all()  # errors as large have been seen now
    for timed.error in (0.001, 0.5):  # and are not forgotten
        assert (torch.stack(ask(mixed, inputs, calls=70)) == inputs.argmax(1)).all()


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_logits_that_are_no_numbers_are_never_sure(bad):
    timed, inputs = Timed(), logits(400, 1.0)
    mixed = MixedPrecision(
        timed.full, lambda x: timed.rounded(x).index_fill(0, torch.arange(9), bad), lambda: timed.time
    )
    assert (torch.stack(ask(mixed, inputs)) == inputs.argmax(1)).all() and not mixed.pays


def test_a_copy_that_cannot_run_is_left_alone(capsys):
    def fail(inputs):
        raise RuntimeError("no kernel for bfloat16")

    timed, inputs = Timed(), logits(400, 1.0)
    mixed = MixedPrecision(timed.full, fail, lambda: timed.time)
    assert (torch.stack(ask(mixed, inputs)) == inputs.argmax(1)).all() and timed.asked["full"] == 40 * 400
    assert capsys.readouterr().out.count("no kernel for bfloat16") == 1


def test_a_model_of_one_class_is_asked_in_full():
    mixed = MixedPrecision(lambda x: x[:, :1], lambda x: x[:, :1] + 0.1, lambda: 0.0)
    assert (torch.stack(ask(mixed, logits(400, 1.0), calls=3)) == 0).all() and mixed.disagreement == 0


def test_what_was_found_goes_on_from_arrays():
    timed, inputs = Timed(), logits(400, 1.0)
    mixed, other = timed.mixed(), Timed().mixed()
    ask(mixed, inputs)
    kept = mixed.to_arrays()
    other.restore(kept)
    assert other.pays and other.disagreement == 0
    assert {name: found.tolist() for name, found in other.to_arrays().items()} == {
        name: found.tolist() for name, found in kept.items()
    }


def network(shape=(3, 8, 8)):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(288, 5))
    return model.eval(), torch.rand(60, *shape)


def test_answers_of_a_network_are_those_of_float32():
    model, inputs = network()
    noise = Perturbation(sigmas=[0.2], samples=100)
    found = {
        precision: ask_fixed(model, inputs, noise, lambda: streams(0, "noise", range(60)), precision=precision)
        for precision in ("float32", "bfloat16", AUTO)
    }
    (full, _), (rounded, _), (labels, asked) = (found[name] for name in ("float32", "bfloat16", AUTO))
    assert (labels == full).all() and (rounded != full).any()
    assert asked == {"precision": AUTO, "disagreement": 0.0}


def test_the_oracle_counts_and_resolves_as_in_float32():
    model, inputs = network()
    oracle, plain = LabelOracle(model, 60, 3, AUTO), LabelOracle(model, 60, 3)
    owners = np.repeat(np.arange(60), 3)
    assert (oracle(inputs.repeat_interleave(3, 0), owners) == plain(inputs.repeat_interleave(3, 0), owners)).all()
    assert oracle.n_queries.tolist() == plain.n_queries.tolist() and oracle.resolution == plain.resolution
    assert oracle.dtype == torch.float32 and next(model.parameters()).dtype == torch.float32


def test_what_has_no_weights_is_asked_as_it_is():
    class Function(torch.nn.Module):
        def forward(self, inputs):
            return inputs.flatten(1)[:, :2]

    inputs = torch.rand(50, 4)
    oracle = LabelOracle(Function(), 1, 50, AUTO)
    assert (oracle(inputs, np.zeros(50, int)) == inputs[:, :2].argmax(1)).all() and oracle.disagreement is None
