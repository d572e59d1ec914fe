"""Hostile and damaged files: nothing in them runs, fills the memory, hangs or leads elsewhere, and each is named."""

import io
import os
import pickle
import struct
import tarfile
import tracemalloc
import zipfile

import numpy as np
import pytest
import torch

from lmia import artifacts
from lmia.data import archives, npz
from lmia.data.array_checks import checked
from lmia.data.torchvision import import_torchvision
from lmia.data.torchvision import load as load_torchvision
from tests.bad_input.raw_arrays import GOOD, npy


class Touch:
    """Unpickled, it makes a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.fixture
def canary(tmp_path):
    """The path of a file that exists at the end if something was executed."""
    yield tmp_path / "canary"
    assert not (tmp_path / "canary").exists()


def test_the_canary_sings(tmp_path):
    pickle.loads(pickle.dumps(Touch(tmp_path / "canary"))).close()
    assert (tmp_path / "canary").exists()


def header(shape, descr="<f8", version=1, text=None):
    """The start of a .npy file that states a shape."""
    text = (text or f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}").encode("latin1") + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text


def zipped(path, **entries):
    """A .npz file of raw bytes, compressed; `inputs` and `classes` are good ones unless given."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in ({name: npy(array) for name, array in GOOD.items()} | entries).items():
            if content is not None:
                file.writestr(f"{name}.npy", content)
    return str(path)


def symlink_entry(path):
    zipped(path, inputs=None)
    with zipfile.ZipFile(path, "a") as file:
        entry = zipfile.ZipInfo("inputs.npy")
        entry.create_system, entry.external_attr = 3, 0o120777 << 16
        file.writestr(entry, "/etc/passwd")


def patched(path, offset, value, signature=b"PK\x01\x02"):
    """A good file with a changed field in the zip's directory, for `inputs`."""
    zipped(path)
    data = bytearray(path.read_bytes())
    where = data.index(signature) + offset
    data[where : where + len(value)] = value
    path.write_bytes(data)


UNREADABLE = "inputs: expected an array of numpy's"
NPZ = {
    "text": (lambda path: path.write_text("inputs,classes"), "expected a .npz file, as numpy.savez writes it"),
    "nothing in it": (lambda path: path.write_bytes(b""), "expected a .npz file"),
    "one array": (lambda path: path.write_bytes(npy(GOOD["inputs"])), "expected a .npz file"),
    "cut short": (lambda path: (zipped(path), path.write_bytes(path.read_bytes()[:-30])), "expected a .npz file"),
    "a table": (lambda path: path.write_bytes(b"PK\x03\x04" * 9), "expected a .npz file"),
    "an empty zip": (lambda path: zipfile.ZipFile(path, "w").close(), "no array inputs; it has "),
    "a thousand others": (
        lambda path: zipped(path, inputs=None, **{f"x{i}": b"" for i in range(1000)}),
        "no array inputs; it has classes, x0, .* and 991 more",
    ),
    "no suffix": (
        lambda path: zipfile.ZipFile(zipped(path, inputs=None), "a").writestr("inputs", npy(GOOD["inputs"])),
        "no array inputs; it has classes",
    ),
    "a way out": (
        lambda path: zipped(path, inputs=None, **{"../../inputs": b"x"}),
        "no array inputs; it has .*/inputs",
    ),
    "no array": (lambda path: zipped(path, inputs=b"#!/bin/sh"), UNREADABLE),
    "an empty array": (lambda path: zipped(path, inputs=b""), UNREADABLE),
    "a link": (symlink_entry, UNREADABLE),
    "unknown version": (
        lambda path: zipped(path, inputs=b"\x93NUMPY\x09\x00xx"),
        UNREADABLE,
    ),
    "a header of code": (
        lambda path: zipped(path, inputs=header(0, text="__import__('os').system('true')")),
        UNREADABLE,
    ),
    "a header of brackets": (lambda path: zipped(path, inputs=header(0, text="(" * 9000)), "an array of numpy's"),
    "objects": (lambda path: zipped(path, inputs=npy(np.array([[None]]))), "got object; objects are never unpickled"),
    "records": (lambda path: zipped(path, inputs=npy(np.zeros(6, "f4,f4"))), "expected plain numbers, got "),
    "texts": (lambda path: zipped(path, classes=npy(np.array(["a"] * 6))), "classes: expected plain numbers, got <U1"),
    "more than it holds": (
        lambda path: zipped(path, inputs=header((10**12, 2))),
        "1000000000000, 2.*found 0 bytes",
    ),
    "less than it holds": (
        lambda path: zipped(path, inputs=header((1, 2)) + b"x" * 96),
        "found 96 bytes; save",
    ),
    "negative lengths": (
        lambda path: zipped(path, inputs=header((-6, -2)) + b"x" * 96),
        "found 96 bytes; save",
    ),
    "beyond all integers": (lambda path: zipped(path, inputs=header((10**30, 2))), "found 0 bytes"),
    "other bytes": (lambda path: patched(path, 16, b"\0\0\0\0"), UNREADABLE + ".*CRC"),
    "unknown compression": (lambda path: patched(path, 10, b"\x63\0"), UNREADABLE),
    "a password": (lambda path: patched(path, 8, b"\1\0"), UNREADABLE + ".*encrypted"),
    "no examples": (
        lambda path: np.savez(path, inputs=np.zeros((0, 2)), classes=np.zeros(0, int)),
        "at least one",
    ),
    "a pipe": (lambda path: os.mkfifo(path), "expected a .npz file, found a folder, pipe or device"),
    "a folder": (lambda path: path.mkdir(), "expected a .npz file, found a folder"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "expected a .npz file, found a folder, pipe or device"),
}


@pytest.mark.parametrize("case", NPZ)
def test_files_that_are_no_sound_npz_are_named(case, tmp_path):
    make, message = NPZ[case]
    make(tmp_path / "mine.npz")
    with pytest.raises(ValueError, match=f"mine.npz.*{message}"):
        npz.load(str(tmp_path / "mine.npz"))


def test_what_is_not_there_is_an_error_of_the_system(tmp_path):
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("nothing", "broken", "loop"):
        with pytest.raises(OSError, match=name):
            npz.load(str(tmp_path / name))


def test_links_to_files_and_compressed_files_are_read(tmp_path):
    (tmp_path / "link.npz").symlink_to(zipped(tmp_path / "mine.npz"))
    inputs, classes = npz.load(str(tmp_path / "link.npz"))
    np.testing.assert_array_equal(inputs, GOOD["inputs"].astype(np.float32))
    assert classes.tolist() == GOOD["classes"].tolist()


@pytest.mark.parametrize("bomb", ["array", "header"])
def test_bombs_are_refused_before_they_are_unpacked(bomb, tmp_path, monkeypatch):
    zeros = bytes(8 << 20)
    monkeypatch.setattr(npz, "MAX_BYTES", 1 << 20)
    if bomb == "array":
        arrays = {"inputs": header((1 << 20, 1)) + zeros, "classes": header((1 << 20,), "|u1") + zeros[: 1 << 20]}
        path, message = (
            zipped(tmp_path / "a.npz", **arrays),
            "takes 0.0 GiB of memory to read",
        )
        del arrays
    else:
        start = b"\x93NUMPY\x02\x00" + struct.pack("<I", len(zeros))
        path, message = zipped(tmp_path / "a.npz", inputs=start + zeros), "inputs: expected an array of numpy's"
    del zeros
    assert os.path.getsize(path) < 1 << 16
    tracemalloc.start()
    with pytest.raises(ValueError, match=message):
        npz.load(path)
    most, _ = tracemalloc.get_traced_memory()[1], tracemalloc.stop()
    assert most < 1 << 20


@pytest.mark.parametrize("of_classes", ["u1", "i8"])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "u1"])
@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("shape", [(2_000, 500), (500_000, 1)])
def test_the_memory_that_reading_takes_is_told_rightly(shape, parts, dtype, of_classes, tmp_path, monkeypatch):
    """Whether inputs or classes take most of it; to the end of what is done with them before they are saved."""
    names = [f"x{i}" for i in range(parts)], [f"y{i}" for i in range(parts)]
    inputs = np.random.default_rng(0).integers(0, 2, shape)
    arrays = {name: inputs.astype(dtype) for name in names[0]}
    arrays |= {name: (np.arange(shape[0]) % 200).astype(of_classes) for name in names[1]}
    np.savez(tmp_path / "a.npz", **arrays)
    del inputs, arrays
    tracemalloc.start()
    checked(*npz.load(str(tmp_path / "a.npz"), *names))
    most, _ = tracemalloc.get_traced_memory()[1], tracemalloc.stop()
    monkeypatch.setattr(npz, "MAX_BYTES", most - 250_000)  # which are zipfile's and Python's own
    with pytest.raises(ValueError, match="a.npz: takes 0.0 GiB of memory to read"):
        npz.describe(str(tmp_path / "a.npz"), *names)
    monkeypatch.setattr(npz, "MAX_BYTES", 1.25 * most)
    npz.describe(str(tmp_path / "a.npz"), *names)


def test_pickles_in_arrays_do_not_run(tmp_path, canary):
    np.savez(tmp_path / "a.npz", inputs=np.array([[Touch(canary)]]), classes=np.array([0]))
    with pytest.raises(ValueError, match="never unpickled"):
        npz.load(str(tmp_path / "a.npz"))
    with pytest.raises(artifacts.ArtifactError, match="a.npz"):
        artifacts.load(tmp_path / "a.npz")


@pytest.mark.parametrize("legacy", [True, False])
def test_pickles_of_torch_do_not_run(tmp_path, canary, legacy):
    torch.save({"inputs": Touch(canary)}, tmp_path / "a.pt", _use_new_zipfile_serialization=not legacy)
    with pytest.raises(ValueError, match="a.pt: (expected a .npz file|no array inputs)"):
        npz.load(str(tmp_path / "a.pt"))
    with pytest.raises(artifacts.ArtifactError, match="a.pt"):
        artifacts.load(tmp_path / "a.pt")


def test_pickles_in_place_of_torchvisions_files_do_not_run(tmp_path, canary):
    """Older versions of it kept MNIST as pickles, which it reads to this day."""
    import_torchvision()
    (tmp_path / "MNIST/processed").mkdir(parents=True)
    for name in ("training.pt", "test.pt"):
        torch.save((Touch(canary), torch.zeros(1)), tmp_path / "MNIST/processed" / name)
    with pytest.raises(pickle.UnpicklingError, match="[Ww]eights.only"):
        load_torchvision("MNIST", root=str(tmp_path), download=False)


def tgz(path, *entries):
    """An archive of (name, content, fields of its entry)."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content, fields in entries:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            for field, value in fields.items():
                setattr(entry, field, value)
            tar.addfile(entry, io.BytesIO(content))


TGZ = {
    "a hard link": [("wanted", b"", {"type": tarfile.LNKTYPE, "linkname": "/etc/passwd"})],
    "a symbolic link": [("wanted", b"", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"})],
    "a device": [("wanted", b"", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 5})],
    "a pipe": [("wanted", b"", {"type": tarfile.FIFOTYPE})],
    "a folder": [("wanted", b"", {"type": tarfile.DIRTYPE})],
    "a way out": [("../wanted", b"no", {}), ("/wanted", b"no", {}), ("a/../wanted", b"no", {})],
}


@pytest.mark.parametrize("case", TGZ)
def test_only_regular_members_under_their_own_name_are_read(case, tmp_path):
    (tmp_path / "in").mkdir()
    tgz(tmp_path / "in/a.tgz", *TGZ[case])
    with pytest.raises(ValueError, match="a.tgz: expected a file wanted in it"):
        with archives.members(tmp_path / "in/a.tgz", "wanted"):
            pass
    assert [file.name for file in tmp_path.rglob("*")] == ["in", "a.tgz"]


def test_pickles_in_archives_are_bytes(tmp_path, canary):
    content = pickle.dumps(Touch(canary))
    tgz(tmp_path / "a.tgz", ("wanted", content, {}))
    with archives.members(tmp_path / "a.tgz", "wanted") as [file]:
        assert file.read() == content
