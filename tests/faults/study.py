"""A tiny study whose data set is fetched from a server on this machine, and whose model notes who asks it."""

import gzip
import hashlib
import io
import os
import tarfile
import threading
import time
from base64 import urlsafe_b64decode
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from lmia.data.archives import CACHE_VARIABLE
from tests.workflow.conftest import make_checkout
from tests.workflow.faulty import MODEL, Faulty

EXAMPLES, FEATURES, CLASSES = 300, 30, 3
BALLAST = 300_000  # bytes that make the download last
DELAY = 0.01  # s that the model takes for a batch
CONFIG = {
    "save_every": 0.05,
    "datasets": {"served": {"kind": "plugins.served"}},
    "models": {"noted": {"kind": "plugins.noted"}},
    "studies": {
        "small": {
            "dataset": "served",
            "n_train": [30],
            "model": "noted",
            "seeds": ["0-1"],
            "training": {"max_epochs": 30, "batch_size": 10},
        }
    },
    "queries": {
        "noise": {"kind": "gaussian", "sigmas": [0.1, 0.2], "samples": 10},
        "boundary": {"kind": "hopskipjump", "budget": 100},
        "gradients": {"kind": "white_box", "steps": 30},
    },
    "attacks": {
        "gap": {"kind": "gap", "reads": "noise"},
        "noise": {"kind": "vote", "reads": "noise"},
        "boundary": {"kind": "distance", "reads": "boundary"},
        "white-box": {"kind": "distance", "reads": "gradients"},
    },
    "metrics": {"resamples": 100},
    "figures": {
        "accuracy": {"kind": "bars", "study": "small"},
        "roc": {"kind": "roc", "study": "small", "attacks": ["gap", "boundary"]},
    },
}
DATASET = """
from pathlib import Path

from lmia.data import archives, binary_tables

N_EXAMPLES, SHAPE = {n}, ({features},)


def load():
    [archive] = archives.originals(Path("../address.txt").read_text(), {{"served.tgz": "{sha256}"}})
    return binary_tables.read(archive, "rows", (N_EXAMPLES, *SHAPE), {classes})
"""
CHECKOUT = "checkout"
NOT_RESULTS = (".partial", ".runs", ".store", "logs", "benchmarks")


def make_archive():
    """A .tar.gz as Shokri et al. published theirs, always of the same bytes."""
    rng = np.random.default_rng(0)
    classes = rng.integers(CLASSES, size=EXAMPLES)
    likely = np.where(np.arange(FEATURES) % CLASSES == classes[:, None], 0.7, 0.3)
    bits = (rng.random(likely.shape) < likely).astype(int)
    rows = "".join(f"{c + 1},{','.join(map(str, row))}\n" for c, row in zip(classes, bits, strict=True))
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file, tarfile.open(fileobj=file, mode="w") as tar:
        for name, content in (("rows", rows.encode()), ("ballast", rng.bytes(BALLAST))):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


class Handler(BaseHTTPRequestHandler):
    """Sends the archive slowly, from where it is asked to, and counts what was sent."""

    def do_GET(self):
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        if start >= len(self.server.content):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", len(self.server.content) - start)
        self.end_headers()
        for at in range(start, len(self.server.content), 1 << 13):
            try:
                self.server.sent += self.wfile.write(self.server.content[at : at + (1 << 13)])
            except OSError:  # whoever asked was killed
                return
            time.sleep(DELAY)

    def log_message(self, *args):
        pass


def serve():
    """A server of the archive, at work until the process ends; `sent` counts its bytes.

    What is fetched from it lies in the folder `cache` of the checkout that fetches.
    """
    os.environ[CACHE_VARIABLE] = "cache"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.content, server.sent = True, make_archive(), 0
    threading.Thread(target=partial(server.serve_forever, poll_interval=0.1), daemon=True).start()
    return server


class Watched(Faulty):
    """A checkout of the study, with what is there at a moment."""

    def files(self):
        """Name -> (time of change, bytes) of everything that lies under its final name in results/."""
        found = {}
        for folder, folders, names in os.walk(self.path / "results"):
            folders[:] = [name for name in folders if name not in NOT_RESULTS]
            for path in (Path(folder) / name for name in names if name != ".gitignore"):
                try:
                    found[str(path.relative_to(self.path))] = (path.stat().st_mtime_ns, path.read_bytes())
                except FileNotFoundError:  # Snakemake has taken it away meanwhile
                    pass
        return found

    def in_flight(self):
        """Names of outputs whose jobs have begun and not ended, as Snakemake notes them."""
        notes = self.path / ".snakemake/incomplete"
        parts = [path.relative_to(notes).parts for path in notes.rglob("*") if path.is_file()]
        names = ["".join(part.removeprefix("@") for part in name) for name in parts]  # long ones lie in folders
        return {urlsafe_b64decode(name).decode() for name in names}


def make_study(folder, server):
    """A new folder with a checkout of the study, nothing run yet, and beside it what decides no result."""
    folder.mkdir()
    path = folder / CHECKOUT
    checkout = make_checkout(path)
    sha256 = hashlib.sha256(server.content).hexdigest()
    texts = {
        "plugins/noted.py": MODEL,
        "plugins/served.py": DATASET.format(n=EXAMPLES, features=FEATURES, classes=CLASSES, sha256=sha256),
        "../address.txt": f"http://127.0.0.1:{server.server_port}/",
        f"../{CHECKOUT}-delay.txt": str(DELAY),
    }
    (path / "plugins").mkdir()
    for name, text in texts.items():
        (path / name).write_text(text)
    checkout.configure(lambda config: (config.clear(), config.update(CONFIG)))
