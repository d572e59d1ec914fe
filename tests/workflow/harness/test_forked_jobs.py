"""A forked job is what `python SCRIPT` would be, and leaves nothing to the next."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.workflow.harness.processes import is_running, parent, starting, wait_for
from workflow.harness import forked_jobs
from workflow.harness.fingerprint import ROOT
from workflow.harness.forked_jobs import OF_ALL, SERVER, Forked, Server, libraries

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="jobs are forked on Linux alone")
ENVIRONMENT = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
LIBRARIES = ["numpy", "pandas", *OF_ALL]
# What a job may see of the process that it is in, but for what libraries make of it.
LOOKS = """
import gc, json, os, random, signal, sys, threading
import numpy, snakemake.iocontainers
OWN = ("_", "SHLVL", "PWD", "OLDPWD", "COLUMNS", "LINES", "PYTEST_CURRENT_TEST")  # which bash and pytest change
seen = {
    "environment": {name: os.environ[name] for name in os.environ if name not in OWN}, "folder": os.getcwd(),
    "arguments": [sys.argv, sys.orig_argv], "path": sys.path,
    "umask": os.umask(0o22), "names": sorted(set(globals()) - {"seen"}), "main": [__name__, __file__, __spec__],
    "is main": sys.modules["__main__"].__dict__ is globals(), "threads": threading.active_count(),
    "signals": [str(signal.getsignal(s)) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE)],
    "wakeup": signal.set_wakeup_fd(-1), "is collected": [gc.isenabled(), gc.get_threshold()],
    "limit": sys.getrecursionlimit(), "numbers": numpy.sum(numpy.arange(3)).item(), "errors": numpy.geterr(),
    "ours": [name for name in sys.modules if name.partition(".")[0] in ("lmia", "workflow", "fork_server")],
}
print(json.dumps(seen, sort_keys=True))
"""
SPOILS = """
import json, os, random, signal, sys, threading
import numpy
os.environ["SPOILT"] = "1"
os.chdir("/")
os.umask(0o77)
sys.path.insert(0, "/nowhere")
sys.setrecursionlimit(5000)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
numpy.random.seed(0), random.seed(0), numpy.seterr(all="raise")
numpy.sum, json.dumps, numpy.spoilt = None, None, True
spoilt = threading.Thread(target=lambda: None)
spoilt.start()
"""
BUSY = "import threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()"
# A job that waits while it is told to, for a minute at most, and then works for a second.
WAITS = """
import pathlib, time
end = time.monotonic() + 60
while pathlib.Path("wait.txt").exists() and time.monotonic() < end:
    time.sleep(0.05)
time.sleep(1)
pathlib.Path("done.txt").touch()
"""
DRAWS = """
import random, numpy
print(random.random(), numpy.random.random())
"""
ENDS = {
    "done": "print('told')",
    "nothing": "import sys; sys.exit()",
    "number": "import sys; sys.exit(3)",
    "large number": "import sys; sys.exit(258)",
    "true": "import sys; sys.exit(True)",
    "text": "import sys; sys.exit('what is wrong')",
    "error": "def fails():\n    raise ValueError('no')\nfails()",
    "chained": "try:\n    {}[1]\nexcept KeyError as error:\n    raise ValueError('no') from error",
    "syntax": "print('never'\n",
    "interrupt": "raise KeyboardInterrupt",
    "at once": "import os; os._exit(7)",
    "killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "terminated": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "at exit": "import atexit; atexit.register(print, 'last'); print('first')",
    "late error": "import atexit\natexit.register(int, 'no')",
    "a thread": "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.2), print('it'))).start()",
    "an open file": "kept = open('kept.txt', 'w'); kept.write('all of it')",
    "an open file of a module": "import types, sys; sys.modules['own'] = types.ModuleType('own')\n"
    "sys.modules['own'].kept = open('kept.txt', 'w'); sys.modules['own'].kept.write('all of it')",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, number in ENVIRONMENT.items():
        monkeypatch.setenv(name, number)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return tmp_path


@pytest.fixture
def server(folder):
    """(server, file in which its jobs print)."""
    with open(folder / "printed", "w+") as printed:
        own = os.dup(2)
        os.dup2(printed.fileno(), 2)
        server = Server(dict(os.environ), printed)
        os.dup2(own, 2), os.close(own)
        yield server, printed
        server.end()


@pytest.fixture
def run(server, folder):
    """A function that runs a script as a forked job; it gives (its code, what it printed)."""
    server, printed = server

    def run(text, libraries=LIBRARIES):
        printed.seek(0), printed.truncate()
        code = server.fork(written(folder, text), libraries).wait()
        printed.seek(0)
        return code, printed.read()

    return run


def written(folder, text):
    script = folder / "tmp0.some_script.py"
    script.write_text(text)
    return str(script)


def started(folder, text):
    """(exit code, what it printed) of a script that is run as Snakemake does."""
    command = f"set -euo pipefail;  {sys.executable} {written(folder, text)}"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = subprocess.run(command, shell=True, executable="/bin/bash", **pipes)
    return done.returncode, done.stdout


def test_a_job_sees_what_a_process_of_its_own_would(run, folder):
    (code, forked), (_, fresh) = run(LOOKS), started(folder, LOOKS)
    assert code == 0 and json.loads(forked) == json.loads(fresh)


def test_nothing_of_a_job_reaches_the_next(run, folder):
    clean = run(LOOKS)
    assert run(SPOILS)[0] == 0
    assert run(LOOKS) == clean


def test_each_job_draws_other_numbers_where_nothing_is_seeded(run):
    drawn = [run(DRAWS)[1].split() for _ in range(3)]
    assert len({number for numbers in drawn for number in numbers}) == 6


@pytest.mark.parametrize("text", ENDS.values(), ids=ENDS)
def test_a_job_ends_as_a_process_of_its_own_would(run, folder, text):
    expected = started(folder, text), kept(folder)
    assert (run(text), kept(folder)) == expected


def kept(folder):
    file = folder / "kept.txt"
    text = file.read_text() if file.exists() else None
    file.unlink(missing_ok=True)
    return text


def test_jobs_run_side_by_side_and_each_is_told_its_own_end(server, folder):
    scripts = []
    for number, seconds in enumerate((0.6, 0.3, 0.0)):
        scripts.append(folder / f"tmp{number}.some_script.py")
        scripts[-1].write_text(f"import sys, time; time.sleep({seconds}); sys.exit({10 + number})")
    jobs = [server[0].fork(str(script), []) for script in scripts]
    assert [job.wait() for job in jobs] == [10, 11, 12]


def test_libraries_are_imported_once_and_edits_of_anything_else_are_seen(run, folder):
    assert run("import own, sys; print(own.VALUE, 'scipy' in sys.modules)", ["numpy"])[0] == 1
    for value in (1, 2):
        (folder / "own.py").write_text(f"VALUE = {value}")
        assert run("import own, sys; print(own.VALUE, 'scipy' in sys.modules)", ["scipy"]) == (0, f"{value} True\n")


def test_what_cannot_be_imported_is_left_to_the_job(run):
    assert run("print('told')", ["numpy.nowhere", "no_such_library"]) == (0, "told\n")


def test_no_job_is_forked_from_a_process_with_threads(server, folder):
    (folder / "busy.py").write_text(BUSY)
    script = written(folder, "print('told')")
    assert server[0].fork(script, ["numpy"]).wait() == 0
    assert server[0].fork(script, ["busy"]) is None


@pytest.fixture
def start(folder, monkeypatch):
    """A function that starts a script as Snakemake does; it gives what Snakemake waits for."""
    monkeypatch.setattr(forked_jobs, "_servers", {})

    def start(text, libraries=(), extra="", **environment):
        script = written(folder, text)
        monkeypatch.setattr(forked_jobs._current, "script", script, raising=False)
        monkeypatch.setattr(forked_jobs._current, "libraries", list(libraries), raising=False)
        command = f"set -euo pipefail;  {extra}{sys.executable} {script}"
        environment = {**os.environ, **environment}
        return forked_jobs._started(command, shell=True, executable="/bin/bash", stdout=None, env=environment)

    yield start
    for server in filter(None, forked_jobs._servers.values()):
        server.end()


def test_jobs_of_one_environment_share_a_server_and_those_with_torch_have_another(start):
    jobs = [start("", [library], **{"OWN": own}) for own in "12" for library in ("numpy", "torch") for _ in range(2)]
    assert [job.wait() for job in jobs] == [0] * 8
    assert all(isinstance(job, Forked) for job in jobs) and len(forked_jobs._servers) == 4


def test_a_job_finds_the_environment_that_it_is_given(start, folder):
    for number in "213":
        text = "import os; open('own.txt', 'w').write(os.environ['OMP_NUM_THREADS'])"
        assert start(text, OMP_NUM_THREADS=number).wait() == 0
        assert (folder / "own.txt").read_text() == number


def test_where_no_job_can_be_forked_all_are_started_by_python_itself(start, folder, monkeypatch):
    (folder / "busy.py").write_text(BUSY)
    monkeypatch.syspath_prepend(folder)
    jobs = [start("", ["busy"]), start("", ["numpy"])]
    assert [job.wait() for job in jobs] == [0, 0]
    assert not any(isinstance(job, Forked) for job in jobs) and list(forked_jobs._servers.values()) == [None]


def test_what_stands_around_a_script_is_left_to_a_shell(start):
    """As an environment of conda's or a container does."""
    job = start("import os, sys; sys.exit(os.environ['OWN'] != 'mine')", extra="export OWN=mine; ")
    assert job.wait() == 0 and not isinstance(job, Forked)


def test_once_a_package_is_installed_no_job_has_the_older_ones(folder, start, monkeypatch):
    packages = folder / "site-packages"
    packages.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(packages))
    for is_forked in (True, True, False):
        if not is_forked:
            (packages / "numpy-9.dist-info").mkdir()
        job = start("", ["numpy"])
        assert job.wait() == 0 and isinstance(job, Forked) == is_forked


def test_torch_is_fit_to_be_forked_and_its_numbers_are_those_of_a_process_of_its_own(run, folder):
    text = (
        "import torch; torch.manual_seed(1); x = torch.randn(500, 500); print(x.mm(x).sum(0), torch.get_num_threads())"
    )
    assert run(text, ["torch", "numpy"]) == started(folder, text)
    assert len({run("import torch; print(torch.rand(3))", ["torch"]) for _ in range(3)}) == 3
    assert run("import torch; print(torch.cuda._is_in_bad_fork())", ["torch"]) == (0, "False\n")


def test_a_server_ends_with_whoever_started_it_and_its_jobs_go_on(folder):
    (folder / "wait.txt").touch()
    program = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from workflow.harness.forked_jobs import Server
job = Server(dict(os.environ), None).fork({written(folder, WAITS)!r}, [])
print(job.pid, flush=True)
job.wait()
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    job = int(process.stdout.readline())
    server = parent(job)
    assert is_running(server) and is_running(job)
    process.kill()
    process.wait()
    wait_for(lambda: not is_running(server), 10)
    assert is_running(job)
    (folder / "wait.txt").unlink()
    wait_for((folder / "done.txt").exists, 20)


def test_where_the_server_is_killed_its_jobs_end_and_failed(server, folder):
    (folder / "wait.txt").touch()
    job = server[0].fork(written(folder, WAITS), [])
    os.kill(parent(job.pid), signal.SIGKILL)
    (folder / "wait.txt").unlink()
    assert job.wait() == 1 and (folder / "done.txt").exists()
    assert server[0].fork(written(folder, ""), []) is None


def test_libraries_of_a_job_are_what_its_files_import_as_they_are_loaded():
    files = [
        f"{file}@0"
        for file in (
            "lmia/attacks/classifier.py",
            "lmia/data/digits.py",
            "lmia/evaluation/intervals.py",
            "workflow/scripts/train_model.py",
        )
    ]
    found = libraries(files)
    assert {"numpy", "torch", "sklearn.preprocessing", "scipy.special"} <= set(found)
    assert not {name for name in found if name.partition(".")[0] in ("lmia", "workflow", "typing")}
    assert "sklearn.datasets" not in found  # which a function imports


def test_a_job_that_draws_imports_no_more_of_matplotlib_as_it_saves(folder):
    code = (
        f"import importlib, sys; [importlib.import_module(n) for n in {libraries(['lmia/figures/style.py@0'])}]\n"
        "from matplotlib.figure import Figure; before = set(sys.modules)\n"
        "Figure().savefig('drawn.png'), Figure().savefig('drawn.pdf')\n"
        "print([name for name in sys.modules if name not in before and name.startswith('matplotlib.')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    assert not [name for name in libraries(["lmia/evaluation/intervals.py@0"]) if name.startswith("matplotlib")]


PLUGIN = """
import os, pathlib, time
import numpy as np

def load():
    words = pathlib.Path(f"/proc/{os.getpid()}/cmdline").read_bytes().decode().split(chr(0))
    pathlib.Path("words.txt").write_text(f"{os.getpid()} {words[1]}")
    while pathlib.Path("wait.txt").exists():
        time.sleep(0.05)
    return np.random.default_rng(0).random((400, 4)).astype("float32"), np.arange(400) % 3
"""
DATA = "results/data/own.npz"


@pytest.fixture
def own(fresh):
    """A checkout with a data set that tells how its job was started, and waits as long as it is to."""
    (fresh.path / "plugins").mkdir()
    (fresh.path / "plugins/own.py").write_text(PLUGIN)
    fresh.configure(lambda config: config["datasets"].update(own={"kind": "plugins.own"}))
    return fresh


def words(checkout):
    return (checkout.path / "words.txt").read_text().split()


@pytest.mark.parametrize("fork", ["1", "0"])
def test_jobs_are_forked_unless_a_variable_says_otherwise(own, monkeypatch, fork):
    monkeypatch.setenv(forked_jobs.VARIABLE, fork)
    own.snakemake(DATA)
    assert words(own)[1].endswith(SERVER.name if fork == "1" else ".prepare_dataset.py")


@contextlib.contextmanager
def at_work(checkout):
    """(Snakemake, process id of its job), the leader of a session of its own; nothing of it outlives this."""
    (checkout.path / "wait.txt").touch()
    command = [sys.executable, "-m", "snakemake", "--cores", "1", DATA]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    silent["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background ignores it
    with starting(lambda: subprocess.Popen(command, cwd=checkout.path, **silent)) as start:
        process = start()
        wait_for(lambda: (checkout.path / "words.txt").exists() and len(words(checkout)) == 2, 60)
        try:
            yield process, int(words(checkout)[0])
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_an_interrupt_from_the_terminal_ends_snakemake_its_job_and_the_server(own):
    with at_work(own) as (process, job):
        server = parent(job)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(120) != 0
        wait_for(lambda: not is_running(job) and not is_running(server), 10)
    assert not (own.path / DATA).exists()


def test_a_terminated_snakemake_finishes_its_job(own):
    with at_work(own) as (process, job):
        process.terminate()
        time.sleep(0.5)
        assert is_running(job)
        (own.path / "wait.txt").unlink()
        process.wait(120)
        assert not is_running(job) and (own.path / DATA).exists()


def test_a_killed_snakemake_leaves_its_job_at_work_and_no_server(own):
    with at_work(own) as (process, job):
        server = parent(job)
        process.kill()
        process.wait()
        wait_for(lambda: not is_running(server), 10)
        assert is_running(job)
        (own.path / "wait.txt").unlink()
        wait_for(lambda: not is_running(job), 120)
        assert (own.path / DATA).exists()


def test_a_killed_job_is_an_error(own):
    with at_work(own) as (process, job):
        os.kill(job, signal.SIGKILL)
        assert process.wait(120) == 1
    assert not (own.path / DATA).exists()


@pytest.mark.slow
def test_forked_or_not_all_results_are_the_same_bytes(finished, fresh, monkeypatch):
    monkeypatch.setenv(forked_jobs.VARIABLE, "0")
    fresh.snakemake()
    folders = ("*.csv", *(f"{name}/**/*" for name in ("data", "splits", "models", "answers", "distances", "white_box")))
    folders += tuple(f"{name}/**/*" for name in ("confidences", "scores", "measures", "tables", "figures", "remarks"))
    assert fresh.results(*folders) == finished.results(*folders)
