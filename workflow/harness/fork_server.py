"""Runs scripts, each in a process forked from this one: `python fork_server.py SOCKET`, started by forked_jobs.py.

A request on the socket, one packet of JSON, names a script and libraries, and comes with a socket of its own for the
answers: the process id of the job, and later its exit code, a line each; or nothing, where this process is not fit to
be forked. Libraries are imported here, once, before the fork; they must be installed ones, as edits of them are seen by
later runs only. This file imports nothing of the repository for the same reason.

It ends when nobody holds the other end of its socket any more. Jobs at work then go on, as those of a killed Snakemake.
"""

import atexit
import builtins
import contextlib
import ctypes
import gc
import importlib
import importlib.machinery
import json
import os
import select
import signal
import socket
import sys
import types


def serve(requests: socket.socket) -> str:
    """Fork a process for each request. Returns in those alone, the path of the script that it is to run."""
    interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the jobs
    ended, end = os.pipe()
    os.set_blocking(end, False)
    signal.set_wakeup_fd(end)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    running: dict[int, socket.socket] = {}
    before = installed()
    while True:
        ready, _, _ = select.select([requests, ended], [], [])
        if ended in ready:
            os.read(ended, 4096)
            _tell_of_ended(running)
        if requests not in ready:
            continue
        packet, descriptors, _, _ = socket.recv_fds(requests, 1 << 16, 1)
        if not packet:
            os._exit(0)  # without the work of an end, which nobody waits for
        answers, request = socket.socket(fileno=descriptors[0]), json.loads(packet)
        os.set_inheritable(answers.fileno(), False)
        is_same = installed() == before
        if is_same:
            _import(request)
            before = installed()  # an import may write bytecode there
        if not is_same or not is_fit():
            answers.close()
        elif pid := os.fork():
            running[pid] = answers
            _send(answers, pid)
        else:
            for other in (requests, *running.values()):
                other.close()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, interrupt)
            os.close(ended)
            os.close(end)
            answers.detach()  # stays open as long as the job, so that its end is seen even where this server was killed
            os.chdir(request["folder"])
            return request["script"]


def _tell_of_ended(running: dict[int, socket.socket]) -> None:
    with contextlib.suppress(ChildProcessError):  # none is left
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if answers := running.pop(ended[0], None):
                _send(answers, os.waitstatus_to_exitcode(ended[1]))
                answers.close()


def _send(answers: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # who asked has gone
        answers.sendall(f"{number}\n".encode())


def _import(request: dict) -> None:
    """Import libraries as the script would; those that cannot be are left to it."""
    if not sys.flags.safe_path:
        sys.path[0] = os.path.dirname(request["script"])
    for name in request["libraries"]:
        if name not in sys.modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)
    gc.freeze()  # or the first collection in each job would copy all that is shared


def installed() -> dict[str, int]:
    """What changes with each installation: a job tells versions by what is there, and must have what is there."""
    folders = [path for path in sys.path if os.path.basename(path) in ("site-packages", "dist-packages")]
    return {folder: os.stat(folder).st_mtime_ns for folder in folders if os.path.isdir(folder)}


def is_fit() -> bool:
    """Whether a fork of this process has all that it has: of several threads there would be one, of a GPU nothing."""
    torch = sys.modules.get("torch")
    return len(os.listdir("/proc/self/task")) == 1 and not (torch and torch.cuda.is_initialized())


def run(script: str) -> None:
    """Be what `python SCRIPT` is: its arguments, its module `__main__`, its tracebacks, its random numbers, its end."""
    importlib.invalidate_caches()
    if "numpy.random" in sys.modules:  # Python's own is seeded anew by itself
        sys.modules["numpy.random"].seed()
    if "torch" in sys.modules:
        sys.modules["torch"].default_generator.seed()
    with contextlib.suppress(OSError), open("/proc/self/comm", "w") as shown:  # by tools that list processes
        shown.write(script.split(".")[-2])
    sys.argv[:] = [script]
    sys.orig_argv[:] = [sys.executable, script]
    main = types.ModuleType("__main__")
    loader = importlib.machinery.SourceFileLoader("__main__", script)
    main.__dict__.update(__file__=script, __builtins__=builtins, __loader__=loader, __cached__=None, __annotations__={})
    for name in [name for name, module in sys.modules.items() if module is sys.modules["__main__"]]:
        sys.modules[name] = main  # multiprocessing has another name for it
    sys.excepthook = _told_from_the_script
    End.shared = sys.modules.keys() - {"__main__", "__mp_main__"}
    with open(script, "rb") as file:
        source = file.read()
    try:
        exec(compile(source, script, "exec", dont_inherit=True), main.__dict__)
        End.code = 0
    except SystemExit as ended:
        End.code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        raise
    except Exception:
        End.code = 1
        raise


class End:
    """How a job ends: as Python does, but for the libraries, which it shares and need not take apart.

    code: of its exit; None where Python is to end by itself. shared: names of the modules that it has not imported.
    """

    code: int | None = None
    shared: set[str] = set()

    @classmethod
    def hurry(cls) -> None:
        """The last of what is done at an exit, once threads have ended and errors are told."""
        if cls.code is None:
            return
        for name in sys.modules.keys() - cls.shared:
            del sys.modules[name]
        gc.collect()  # which closes the files that these have left open
        sys.stdout.flush()
        sys.stderr.flush()
        ctypes.CDLL(None).fflush(None)
        os._exit(cls.code & 0xFF)


def _told_from_the_script(kind: type, error: BaseException, frames: types.TracebackType | None) -> None:
    while frames and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    sys.__excepthook__(kind, error.with_traceback(frames), frames)


if __name__ == "__main__":
    atexit.register(End.hurry)  # before any other, so that it comes last
    run(serve(socket.socket(fileno=int(sys.argv[1]))))
