"""Whether points are members, by the split of the models that were asked about them."""

import numpy as np
import pytest

from lmia import artifacts
from lmia.membership import load_membership

IDS = np.array([[5, 1, 9], [9, 5, 1]])


@pytest.fixture
def split(tmp_path):
    """Of two seeds; 7 and 8 were not asked about."""
    artifacts.save(tmp_path / "split.npz", "split", {"members": np.array([[1, 7], [8, 9]])}, {})
    return tmp_path / "split.npz"


def test_each_seed_has_its_own_members(split):
    found = load_membership(split, IDS)
    assert found.dtype == bool and found.tolist() == [[False, True, False], [True, False, False]]


def test_a_split_of_another_number_of_seeds_is_refused(split):
    with pytest.raises(ValueError):
        load_membership(split, IDS[:1])


def test_another_artifact_is_refused(tmp_path):
    artifacts.save(tmp_path / "it.npz", "answers", {"members": IDS}, {})
    with pytest.raises(artifacts.ArtifactError, match="expected kind 'split'"):
        load_membership(tmp_path / "it.npz", IDS)
