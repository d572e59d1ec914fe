"""The numbers of a finished study, computed once more from its models and answers: in numpy, with nothing of lmia."""

import numpy as np
import pandas as pd
import pytest

RUN = "small/n60-none/0-1"  # seeds 0 and 1


@pytest.fixture(scope="module")
def study(finished):
    """A function: (name of an artifact of the run, but for its ending) -> its arrays."""
    return lambda name: np.load(finished.path / f"results/{name}.npz")


def labels(model, seed, inputs):
    """What the network of one hidden layer answers."""
    hidden = np.tanh(inputs.reshape(len(inputs), -1) @ model[f"{seed}/1.weight"].T + model[f"{seed}/1.bias"])
    return (hidden @ model[f"{seed}/3.weight"].T + model[f"{seed}/3.bias"]).argmax(axis=1)


def accuracy(guess, member):
    return (guess[member].mean() + 1 - guess[~member].mean()) / 2


def threshold(scores, member):
    """Midway between the two scores that it parts best, the larger ones among equals."""
    levels = np.unique(scores)[::-1]
    best = int(np.argmax([accuracy(scores >= level, member) for level in levels]))
    return levels[best] if best == len(levels) - 1 else (levels[best] + levels[best + 1]) / 2


def by_shadow(scores, member, shadow_scores, shadow_member):
    return accuracy(scores >= threshold(shadow_scores, shadow_member), member)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_accuracies_of_a_study_follow_from_its_models_and_answers(finished, study, seed):
    data, splits = study("data/digits"), {role: study(f"splits/{RUN}/{role}") for role in ("target", "shadow0")}
    models = {role: study(f"models/{RUN}/{role}") for role in splits}
    members = {role: splits[role]["members"][seed] for role in splits}
    ids = {role: np.sort(np.r_[members[role], splits[role]["nonmembers"][seed]]) for role in splits}
    member = {role: np.isin(ids[role], members[role]) for role in splits}
    assert not np.intersect1d(ids["target"], ids["shadow0"]).size and len(np.unique(ids["target"])) == 120
    assert not np.array_equal(models["target"][f"{seed}/1.weight"], models["shadow0"][f"{seed}/1.weight"])

    def asked(folder, role, name):
        found = study(f"{folder}/{RUN}/{role}/{name}")
        np.testing.assert_array_equal(found["example_ids"][seed], ids[role])
        np.testing.assert_array_equal(found["classes"][seed], data["classes"][ids[role]])
        return found

    right = labels(models["target"], seed, data["inputs"][ids["target"]]) == data["classes"][ids["target"]]
    noise = {}
    for role in splits:
        answers = asked("answers", role, "noise")
        hits = answers["labels"][seed] == answers["classes"][seed][:, None]
        sizes = answers["magnitudes"][seed]
        noise[role] = {s: np.c_[hits[:, sizes == 0], hits[:, sizes == s]].mean(axis=1) for s in np.unique(sizes)[1:]}
        np.testing.assert_array_equal(
            hits[:, 0], labels(models[role], seed, data["inputs"][ids[role]]) == data["classes"][ids[role]]
        )
    shadow = {size: by_shadow(*(noise["shadow0"][size], member["shadow0"]) * 2) for size in noise["shadow0"]}
    size = max(shadow, key=shadow.get)
    distances = {
        role: asked("distances", role, "boundary")["distance"][seed, :, 0, -1].astype(float) for role in splits
    }
    expected = {
        "gap": accuracy(right, member["target"]),
        "noise": by_shadow(noise["target"][size], member["target"], noise["shadow0"][size], member["shadow0"]),
        "boundary": by_shadow(distances["target"], member["target"], distances["shadow0"], member["shadow0"]),
    }
    table = pd.read_csv(finished.path / "results/metrics.csv", keep_default_na=False)
    rows = table.query(f"seed == '{seed}' and setting == '' and metric == 'accuracy'").set_index("attack")["value"]
    assert {name: float(rows[name]) for name in expected} == pytest.approx(expected)
    assert max(expected.values()) > 0.55
