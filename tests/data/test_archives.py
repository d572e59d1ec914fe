"""Original files: fetched once, resumed, verified, never unpacked; over a server on this machine."""

import errno
import gzip
import hashlib
import os
import tarfile
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from lmia import file_locks
from lmia.data import archives
from tests.data.made_archives import tgz

CONTENT = bytes(range(256)) * 400
CUT = 3 * archives.CHUNK
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT; `server.cut` answers end early, and `server.asked` keeps the Range of every request."""

    def do_GET(self):
        self.server.asked.append(self.headers.get("Range"))
        if self.path.endswith("missing.bin"):
            return self.send_error(404)
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1]) if self.server.resumes else 0
        if start >= len(CONTENT):
            return self.send_error(416)
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", len(body))
        self.end_headers()
        self.server.cut -= 1
        self.wfile.write(body[:CUT] if self.server.cut >= 0 else body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.cut, server.resumes = [], 0, True
    threading.Thread(target=partial(server.serve_forever, poll_interval=0.01)).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def fetch(server, monkeypatch, tmp_path):
    """A function that fetches a file from the server into the folder `cache`."""
    monkeypatch.setenv(archives.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda seconds: None))
    url = f"http://127.0.0.1:{server.server_port}/"
    return lambda name="a.bin", sha256=SHA256: archives.originals(url, {name: sha256})[0]


def left(tmp_path):
    return sorted(file.name for file in (tmp_path / "cache").iterdir() if not file.name.endswith(".lock"))


def test_a_file_is_fetched_once(fetch, server, tmp_path):
    assert fetch() == fetch() == tmp_path / "cache/a.bin"
    assert fetch().read_bytes() == CONTENT and server.asked == [None] and left(tmp_path) == ["a.bin"]


def test_an_interrupted_download_goes_on_where_it_stopped(fetch, server, tmp_path):
    server.cut = 2
    assert fetch().read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={CUT}-", f"bytes={2 * CUT}-"] and left(tmp_path) == ["a.bin"]


def test_a_server_that_cannot_resume_starts_again(fetch, server):
    server.cut, server.resumes = 1, False
    assert fetch().read_bytes() == CONTENT and server.asked == [None, f"bytes={CUT}-"]


def test_what_was_interrupted_for_good_leaves_no_file_under_the_final_name(fetch, server, tmp_path, monkeypatch):
    server.cut = 1
    monkeypatch.setattr(archives, "RETRIES", 0)
    with pytest.raises(ConnectionError, match=r"http://127.*/a.bin: cannot be fetched .* set `path`"):
        fetch()
    assert left(tmp_path) == ["a.bin.part"]
    assert fetch().read_bytes() == CONTENT and server.asked == [None, f"bytes={CUT}-"]


@pytest.mark.parametrize("part", [CONTENT, CONTENT + b"more", b"\0" * 5, b""])
def test_any_part_of_an_earlier_attempt_ends_in_the_right_file(fetch, tmp_path, part):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/a.bin.part").write_bytes(part)
    assert fetch().read_bytes() == CONTENT and left(tmp_path) == ["a.bin"]


def test_another_content_than_expected_is_not_kept(fetch, tmp_path):
    with pytest.raises(ValueError, match=rf"a.bin: not the file that is expected.*{SHA256}.* set `path`"):
        fetch(sha256="0" * 64)
    assert left(tmp_path) == []


def test_a_file_that_is_there_needs_no_right_to_write(fetch, server, tmp_path):
    (tmp_path / "cache/.a.bin.lock").mkdir(parents=True)  # nobody can open it, whatever their rights
    (tmp_path / "cache/a.bin").write_bytes(CONTENT)
    assert fetch().read_bytes() == CONTENT and server.asked == []


def test_a_cache_that_cannot_be_written_is_told(fetch, monkeypatch, tmp_path):
    def refuse(*arguments, **options):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(file_locks, "FileLock", refuse)
    with pytest.raises(PermissionError, match="cache/a.bin: is not there, .* let LMIA_DATA name a folder of yours"):
        fetch()


def test_a_full_disk_is_told_with_the_file(fetch, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/a.bin.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device: .*cache/a.bin.part"):
        fetch()


def test_a_damaged_file_in_the_cache_is_fetched_again(fetch, server):
    fetch().write_bytes(b"damaged")
    assert fetch().read_bytes() == CONTENT and len(server.asked) == 2


def test_without_a_published_hash_nothing_is_read_until_one_is_stated(fetch, server):
    with pytest.raises(ValueError, match=f"a.bin: nobody published .* has {SHA256}; .*datasets.<name>.sha256"):
        fetch(sha256=None)
    assert fetch().read_bytes() == CONTENT and len(server.asked) == 1


def test_jobs_that_want_one_file_wait_for_each_other(fetch, server):
    found, jobs = [], []
    for _ in range(4):
        jobs.append(threading.Thread(target=lambda: found.append(fetch().read_bytes())))
        jobs[-1].start()
    for job in jobs:
        job.join()
    assert found == [CONTENT] * 4 and server.asked == [None]


def test_what_is_not_there_is_told_with_its_url(fetch, tmp_path):
    with pytest.raises(ConnectionError, match="/missing.bin: cannot be fetched .*404"):
        fetch("missing.bin")
    assert left(tmp_path) == []


def test_no_network_is_told_with_the_url_and_the_fix(fetch, server):
    server.shutdown()
    server.server_close()
    with pytest.raises(ConnectionError, match=r"/a.bin: cannot be fetched .* datasets.<name>.path"):
        fetch()


def test_local_copies_are_the_file_or_its_folder(tmp_path):
    (tmp_path / "a.bin").write_bytes(CONTENT)
    (tmp_path / "renamed.bin").write_bytes(CONTENT)
    for path in (tmp_path, tmp_path / "a.bin", tmp_path / "renamed.bin"):
        [file] = archives.originals("http://nowhere.invalid/", {"a.bin": SHA256}, path)
        assert file.read_bytes() == CONTENT


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT[:-1] + b"\0", b""])
def test_local_copies_are_verified(tmp_path, content):
    (tmp_path / "a.bin").write_bytes(content)
    found = hashlib.sha256(content).hexdigest()
    with pytest.raises(ValueError, match=f"a.bin: expected SHA-256 {SHA256}, found {found}: .* fetch the original"):
        archives.originals("", {"a.bin": SHA256}, tmp_path)


def test_wrong_paths_are_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere: no such file or folder; set `path` .* copy of a.bin"):
        archives.originals("", {"a.bin": SHA256}, tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="a.bin: no such file; put the original there"):
        archives.originals("", {"a.bin": SHA256}, tmp_path)
    (tmp_path / "a.bin").touch()
    with pytest.raises(NotADirectoryError, match="a.bin: expected a folder that holds a.bin, b.bin, found a file"):
        archives.originals("", {"a.bin": SHA256, "b.bin": SHA256}, tmp_path / "a.bin")


def test_members_are_read_where_they_are(tmp_path):
    archive = tgz(tmp_path / "a.tgz", {"../../escaped": b"no", "/absolute": b"no", "b/wanted": b"yes"})
    here = sorted(os.listdir())
    with archives.members(archive, "b/wanted") as [file]:
        assert file.read() == b"yes"
    assert [file.name for file in tmp_path.rglob("*")] == ["a.tgz"] and sorted(os.listdir()) == here
    escaped = [folder / "escaped" for folder in (tmp_path.parent, tmp_path.parent.parent, Path.cwd().parent.parent)]
    assert not any(path.exists() for path in (*escaped, Path("/absolute")))


def test_a_missing_member_is_told(tmp_path):
    archive = tgz(tmp_path / "a.tgz", {"other": b""})
    with pytest.raises(ValueError, match="a.tgz: expected a file wanted in it, found other"):
        with archives.members(archive, "wanted"):
            pass


def test_links_are_not_followed(tmp_path):
    archive = tgz(tmp_path / "a.tgz", {"wanted": b""}, type=tarfile.SYMTYPE, linkname="/etc/passwd")
    with pytest.raises(ValueError, match="a.tgz: expected a file wanted"):
        with archives.members(archive, "wanted"):
            pass


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"text", lambda data: b""])
def test_a_damaged_archive_is_told(tmp_path, damage):
    archive = tgz(tmp_path / "a.tgz", {"wanted": hashlib.shake_128(b"").digest(100_000)})
    archive.write_bytes(damage(archive.read_bytes()))
    with pytest.raises(ValueError, match="a.tgz: expected a .tar.gz archive, cannot read it"):
        with archives.members(archive, "wanted") as [file]:
            file.read()


def test_a_wrong_checksum_is_told(tmp_path):
    archive = tgz(tmp_path / "a.tgz", {"wanted": bytes(100_000)})
    content = gzip.decompress(archive.read_bytes())
    first = bytearray(gzip.compress(content[:50_000]))
    first[-8] ^= 1  # of its CRC-32
    archive.write_bytes(first + gzip.compress(content[50_000:]))
    with pytest.raises(ValueError, match="a.tgz: expected a .tar.gz archive, cannot read it .CRC check failed"):
        with archives.members(archive, "wanted") as [file]:
            file.read()
