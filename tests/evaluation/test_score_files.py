"""Scores of attacks beside the membership of their points, over the seeds of several files."""

import numpy as np

from lmia import artifacts
from lmia.evaluation.score_files import load_pool_scores, load_scores

SCORES = np.array([[[4, 3, 2, 1], [0, 0, 0, 0]], [[8, 7, 6, 5], [0, 0, 0, 0]]], float)  # two seeds, two settings
IDS = np.array([[0, 1, 2, 3], [4, 5, 6, 7]])
MEMBERS = np.array([[0, 2], [4, 7]])


def test_each_attack_has_the_seeds_of_all_its_files_in_order(tmp_path):
    scores, splits = [], []
    for block, attack in (("0-1", "gap"), ("0-1", "noise"), ("2-3", "gap")):
        (tmp_path / block).mkdir(exist_ok=True)
        scores.append(str(tmp_path / block / f"{attack}.npz"))
        splits.append(str(tmp_path / f"{block}.npz"))
        more = {"gap": 0, "noise": 10}[attack] + {"0-1": 0, "2-3": 100}[block]
        artifacts.save(scores[-1], "scores", {"scores": SCORES + more, "example_ids": IDS}, {})
        artifacts.save(splits[-1], "split", {"members": MEMBERS if block == "0-1" else MEMBERS[::-1] - [[4], [-4]]}, {})
    found = load_scores(scores, splits)
    assert list(found) == ["gap", "noise"] and [len(seeds) for seeds in found.values()] == [4, 2]
    assert [values.tolist() for values, _ in found["gap"]] == [
        [4, 3, 2, 1],
        [8, 7, 6, 5],
        [104, 103, 102, 101],
        [108, 107, 106, 105],
    ]
    assert [values.tolist() for values, _ in found["noise"]] == [[14, 13, 12, 11], [18, 17, 16, 15]]
    first, second, third, fourth = [is_member.tolist() for _, is_member in found["gap"]]
    assert first == [True, False, True, False] and second == [True, False, False, True]
    assert third == second and fourth == first  # the splits of the other block are the other way round
    assert [is_member.tolist() for _, is_member in found["noise"]] == [first, second]


def test_models_of_a_pool_are_in_the_order_of_their_numbers(tmp_path):
    """Models 2 and 3 come first, and the second file has 1 before 0, which no block can; each keeps its own bits."""
    scores, splits, ids = [], [], np.arange(4)
    for start, members in ((20, [[0, 1], [2, 3]]), (0, [[1, 3], [0, -1]])):
        scores.append(str(tmp_path / f"{start}.npz"))
        splits.append(str(tmp_path / f"split-{start}.npz"))
        arrays = {"scores": SCORES + start, "thresholds": np.array([[start, 0.0], [start + 1, 0]])}
        arrays |= {
            "queries": np.ones((2, 2)),
            "shares": np.full((2, 2, 2), start),
            "can_rank": np.ones(2, bool),
            "settings": np.array(["", "budget=9"]),
            "example_ids": np.stack([ids] * 2),
        }
        artifacts.save(scores[-1], "scores", arrays, {})
        artifacts.save(splits[-1], "split", {"members": np.array(members)}, {})
    found, is_member = load_pool_scores(scores, splits, [[2, 3], [1, 0]])
    assert found["shares"][:, 1, 0].tolist() == [0, 0, 20, 20] and found["can_rank"].shape == (4,)
    assert found["thresholds"][:, 0].tolist() == [1, 0, 20, 21] and found["settings"].tolist() == ["", "budget=9"]
    np.testing.assert_array_equal(found["scores"], np.concatenate([SCORES[::-1], SCORES + 20]))
    np.testing.assert_array_equal(is_member, [np.isin(ids, of) for of in ([0], [1, 3], [0, 1], [2, 3])])
