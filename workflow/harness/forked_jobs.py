"""Jobs forked from a process that has imported their libraries: starting Python anew is most of what a short job costs.

Only scripts that Snakemake would run by this Python, on this machine, and installed libraries: a job imports code of
this repository and plug-ins itself, as ever. How Snakemake starts a process is replaced in the planning process only;
what it does before and after (environment, benchmark, errors) stays its own. `LMIA_FORK=0` leaves it all to Snakemake,
as does any system but Linux, whose /proc tells whether a process has several threads.
"""

import atexit
import importlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import snakemake
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.script import PythonScript

from workflow.harness.fingerprint import ROOT

VARIABLE = "LMIA_FORK"
SERVER = Path(__file__).with_name("fork_server.py")
# Whose import does no more than to load them. What others do, as to start a thread, only the job that asks may have.
PLAIN = {"numpy", "pandas", "scipy", "sklearn", "matplotlib", "torch", "tqdm", "filelock"}
OF_ALL = ("snakemake.iocontainers", "snakemake.logging")  # Snakemake's lines at the beginning of each script
SAVING = ("matplotlib.backends.backend_agg", "matplotlib.backends.backend_pdf")  # which matplotlib imports by name
# Those that come with the module. A part of scipy is loaded by the first who asks for it.
IMPORT = re.compile(r"^(?:import|from) (scipy import \w+|[\w.]+)", re.MULTILINE)

_current = threading.local()  # of each thread of Snakemake's: the script that it executes, its libraries
_lock = threading.Lock()
_servers: dict[Any, "Server | None"] = {}  # None where it forks no more


def install() -> None:
    """Have this process fork jobs. Raises WorkflowError where this Snakemake is built otherwise."""
    if os.environ.get(VARIABLE) == "0" or sys.platform != "linux":
        return
    shell: Any = importlib.import_module("snakemake.shell")  # the module, and not the class of that name
    if not hasattr(shell, "sp"):
        raise WorkflowError(
            f"Snakemake {snakemake.__version__} starts processes otherwise than jobs are forked here; install the "
            f"version of requirements.lock, or set {VARIABLE}=0"
        )
    if shell.sp is subprocess:  # or an earlier workflow in this process has done so
        shell.sp = types.SimpleNamespace(**{**vars(subprocess), "Popen": _started})
        PythonScript.execute_script = _executing(PythonScript.execute_script)


def libraries(listed: Iterable[str]) -> list[str]:
    """Names of the plain libraries' modules that files import, or need to save a figure, sorted.

    listed: a job's "file@hash" strings.
    """
    files = (ROOT / entry.rpartition("@")[0] for entry in listed)
    texts = (file.read_text(errors="replace") for file in files if file.suffix == ".py")
    names = {found.replace(" import ", ".") for text in texts for found in IMPORT.findall(text)}
    plain = {name for name in names if name.partition(".")[0] in PLAIN}
    return sorted(plain.union(SAVING) if "matplotlib" in plain else plain)


def _executing(original: Any) -> Any:
    """Snakemake's method, with what `_started` must know kept for it."""

    def execute_script(script: Any, fname: str, edit: bool = False) -> None:
        _current.script, _current.libraries = fname, [*OF_ALL, *libraries(script.params.get("code", []))]
        try:
            original(script, fname, edit)
        finally:
            del _current.script, _current.libraries

    return execute_script


def _started(command: Any, **options: Any) -> Any:
    """In place of subprocess.Popen: a script that nothing stands around but bash is forked, all else is started."""
    script = getattr(_current, "script", None)
    if script and command == f"set -euo pipefail;  {shlex.join([sys.executable, script])}":
        key = ("torch" in _current.libraries, *sorted(options["env"].items()))  # memory is measured, and differs
        server = _server(key, options)
        if server and (job := server.fork(script, _current.libraries)):
            return job
        _servers[key] = None
    return subprocess.Popen(command, **options)


def _server(key: Any, options: dict[str, Any]) -> "Server | None":
    with _lock:
        if key not in _servers:
            _servers[key] = Server(options["env"], options["stdout"])
        return _servers[key]


class Server:
    """A process that forks jobs; it ends with this one. Jobs find its environment, and print where it prints."""

    def __init__(self, environment: dict[str, str], stdout: Any) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command, passed = [sys.executable, str(SERVER), str(theirs.fileno())], [theirs.fileno()]
        self._process = subprocess.Popen(command, env=environment, stdout=stdout, pass_fds=passed)
        theirs.close()
        atexit.register(self.end)

    def fork(self, script: str, libraries: list[str]) -> "Forked | None":
        """A job at work on a script; None where none could be forked."""
        answers, theirs = socket.socketpair()
        request = {"script": script, "libraries": libraries, "folder": os.getcwd()}
        try:
            socket.send_fds(self._requests, [json.dumps(request).encode()], [theirs.fileno()])
        except OSError:
            return None
        finally:
            theirs.close()
        codes = answers.makefile()
        answers.close()
        return Forked(int(pid), codes) if (pid := codes.readline()) else None

    def end(self) -> None:
        self._requests.close()
        self._process.wait()


class Forked:
    """What Snakemake asks of a process that it has started, as of a subprocess.Popen."""

    def __init__(self, pid: int, codes: Any) -> None:
        self.pid, self._codes = pid, codes

    def wait(self) -> int:
        """Exit code, negative for a signal; 1 where the server was killed, which alone would have known."""
        with self._codes:
            if code := self._codes.readline():
                return int(code)
        logger.error("A job has ended, and how is not known: the process that it was forked from was killed.")
        return 1

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)
