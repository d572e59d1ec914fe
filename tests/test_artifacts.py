"""Artifacts are whole, checked, and equal where their content is."""

import tracemalloc

import numpy as np
import pytest

from lmia import artifacts
from lmia.artifacts import ArtifactError

ARRAYS = {"scores": np.arange(6.0).reshape(2, 3), "names": np.array(["a", "b"])}


def test_round_trip_and_equal_bytes(tmp_path):
    for name in ("one.npz", "two.npz"):
        artifacts.save(tmp_path / name, "scores", ARRAYS, {"seeds": [0, 1]})
    arrays, provenance = artifacts.load(tmp_path / "one.npz", "scores", {"scores": ("f", 2)})
    np.testing.assert_array_equal(arrays["scores"], ARRAYS["scores"])
    assert provenance["seeds"] == [0, 1]
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.npz"
    artifacts.save(path, "scores", ARRAYS, {})
    before = path.read_bytes()
    with pytest.raises(ValueError):
        artifacts.save(path, "scores", {"bad": np.array([object()])}, {})
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("damage", [lambda data: data[:-40], lambda data: b"not a zip", lambda data: b""])
def test_damage_is_named(tmp_path, damage):
    path = tmp_path / "a.npz"
    artifacts.save(path, "scores", ARRAYS, {})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ArtifactError, match="a.npz"):
        artifacts.load(path, "scores")


def test_a_changed_array_fails_its_checksum(tmp_path):
    path = tmp_path / "a.npz"
    artifacts.save(path, "scores", ARRAYS, {})
    with np.load(path) as file:
        content = dict(file)
    content["scores"] = content["scores"] + 1
    np.savez(path, **content)
    with pytest.raises(ArtifactError, match=r"a.npz: checksum: expected [0-9a-f]{64}, found [0-9a-f]{64}"):
        artifacts.load(path, "scores")


@pytest.mark.parametrize("mask", [0x01, 0xFF])
def test_no_changed_byte_gives_other_arrays(tmp_path, mask):
    path = tmp_path / "a.npz"
    artifacts.save(path, "scores", ARRAYS, {"seeds": [0, 1]})
    sound, (_, provenance) = path.read_bytes(), artifacts.load(path)
    caught = 0
    for where in range(len(sound)):
        path.write_bytes(sound[:where] + bytes([sound[where] ^ mask]) + sound[where + 1 :])
        try:
            arrays, found = artifacts.load(path)
        except ArtifactError as error:
            caught += error.artifact == str(path) and "a.npz" in str(error)
        else:  # bytes that mean nothing, as the time in a header
            assert found == provenance and all((arrays[name] == ARRAYS[name]).all() for name in ARRAYS)
    assert caught > 0.7 * len(sound)


def test_the_checksum_can_be_read_alone(tmp_path):
    path = tmp_path / "a.npz"
    artifacts.save(path, "scores", ARRAYS, {})
    assert artifacts.recorded_checksum(path) == artifacts.load(path)[1]["sha256"]
    path.write_bytes(b"damaged")
    with pytest.raises(ArtifactError, match="delete it and rerun"):
        artifacts.recorded_checksum(path)


def test_other_kinds_and_shapes_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    artifacts.save(path, "scores", ARRAYS, {})
    with pytest.raises(ArtifactError, match="expected kind 'model'"):
        artifacts.load(path, "model")
    with pytest.raises(ArtifactError, match="scores: expected dtype kind i with 1 dimensions, found float64 with 2"):
        artifacts.load(path, "scores", {"scores": ("i", 1)})


def test_pickles_are_never_loaded(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ArtifactError):
        artifacts.load(path, "scores")


def test_reading_takes_the_memory_of_the_arrays_once(tmp_path):
    """Data sets are gigabytes, and many jobs read them at once."""
    size = 1 << 23
    artifacts.save(tmp_path / "large.npz", "data", {"inputs": np.zeros(size, np.uint8)}, {})
    tracemalloc.start()
    try:
        artifacts.load(tmp_path / "large.npz")
        assert tracemalloc.get_traced_memory()[1] < 1.5 * size
    finally:
        tracemalloc.stop()
