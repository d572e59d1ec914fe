"""Runs Snakemake in any number of folders: `python runner.py`, then one line of JSON for each run, as for planner.py.

A request may have a "limit", in seconds: a run that lasts longer is ended, and has no answer.

An import of torch takes longer than most jobs of a small study. So scripts run in processes that are forked from one
that has imported everything installed, and nothing of a checkout; they are otherwise what Snakemake would start.
"""

import contextlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback

INSTALLED = (
    "numpy",
    "pandas",
    "scipy.stats",
    "sklearn.neural_network",
    "sklearn.datasets",
    "sklearn.neighbors",
    "torch",
)
INSTALLED += ("opacus", "matplotlib.pyplot", "tqdm", "filelock", "snakemake.script", "snakemake.logging")


def serve(listening):
    """Run each script that is asked for in a process of its own, and answer with its exit code."""
    os.environ["MPLBACKEND"] = "agg"
    for name in INSTALLED:
        __import__(name)
    while True:
        connection, _ = listening.accept()
        if os.fork() == 0:
            run_and_answer(connection)
        connection.close()
        with contextlib.suppress(ChildProcessError):  # those that have ended
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass


def run_and_answer(connection):
    request = json.loads(connection.makefile().readline())
    child = os.fork()
    if child == 0:
        run(request)
    ended = os.pidfd_open(child)
    if ended not in select.select([ended, connection], [], [])[0]:  # the Snakemake that asked has gone
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(BrokenPipeError):
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def run(request):
    """Run a script as `python SCRIPT` in the folder and with the environment of the request; ends the process."""
    code = 1
    try:
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        paths = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
        sys.path[:] = [os.path.dirname(request["script"]), *paths, *sys.path[1:]]
        sys.argv[:] = [request["script"]]
        runpy.run_path(request["script"], run_name="__main__")
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(code)


def asked_of(address):
    """How Snakemake is to execute a script: by the process that serves at `address`."""
    from snakemake.exceptions import WorkflowError

    def execute_script(job, fname, edit=False):
        start = time.monotonic()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(address)
            request = {"folder": os.getcwd(), "environment": dict(os.environ), "script": fname}
            connection.sendall(json.dumps(request).encode() + b"\n")
            code = connection.makefile().readline().strip()
        if code != "0":
            raise WorkflowError(f"script ended with {code or 'no'} code")
        if job.bench_record is not None:
            job.bench_record.running_time = time.monotonic() - start

    return execute_script


def answer(request, address):
    """Run Snakemake for one request, in a process that ends then."""
    import snakemake.cli
    from snakemake.script import PythonScript

    PythonScript.execute_script = asked_of(address)
    signal.alarm(request.get("limit", 0))  # 0: never
    os.chdir(request["folder"])
    code, printed = 0, f"{request['answer']}.txt"
    with open(printed, "w") as file:
        os.dup2(file.fileno(), 1), os.dup2(file.fileno(), 2)
        try:
            snakemake.cli.main(["--cores", "2", *request["arguments"]])
        except SystemExit as ended:
            code = ended.code
    with open(printed) as file, open(request["answer"], "w") as told:
        json.dump({"code": code, "printed": file.read()}, told)


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what scripts print is no answer
    address = f"{tempfile.mkdtemp()}/scripts"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen()
    server = os.fork()
    if server == 0:
        sys.stdin.close()
        serve(listening)
    import snakemake.cli  # noqa: F401, so that each run is forked with it

    assert threading.active_count() == 1
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                answer(json.loads(line), address)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        print("done", file=answers, flush=True)
    os.kill(server, 9)


if __name__ == "__main__":
    main()
