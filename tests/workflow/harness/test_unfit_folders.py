"""A clone in any folder, with any line ends: it runs, or one line says before any job why not."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflow.conftest import ROOT, Checkout, make_checkout
from workflow.harness import fingerprint
from workflow.harness.unfit_folders import unfit

TEXTS = {".py", ".smk", ".sh", ".yaml", ".md", ".rst", ".json", ".csv", ".toml", ".def"}
SOURCES = ("workflow", "lmia", "profiles", "tests", "config", "docs", "container", "benchmarks")


@pytest.mark.parametrize(
    "python", ["/a b/python", "/a&b/python", "/a;b/python", "/$(a)/python", "/it's/python", "/{a}/p"]
)
def test_pythons_that_shells_take_apart_are_refused(python):
    assert "\n" not in unfit(python, "/") and unfit(python, "/").startswith(f"{python}: the path of Python has ")


@pytest.mark.parametrize("folder", ["/a b", "/a&b;c$(d)", "/it's", '/"', "/[y]*", "/50%s", "/é"])
def test_folders_that_shells_take_apart_are_quoted(folder):
    assert unfit("/usr/local/python-3.11/é/bin/python3", folder) is None


def test_a_job_runs_in_a_folder_with_blanks_and_signs(tmp_path):
    checkout = make_checkout(tmp_path / "a b&c;$(touch spoilt)'d")
    checkout.snakemake("results/data/digits.npz")
    assert (checkout.path / "results/data/digits.npz").exists() and not list(tmp_path.rglob("spoilt"))


def test_what_cannot_run_is_refused_in_the_terminal_before_any_job(tmp_path):
    text = make_checkout(tmp_path / "{x}").snakemake(check=False)
    assert f"{tmp_path}/{{x}}: a working folder with {{ in its name" in text and "Traceback" not in text
    checkout = make_checkout(tmp_path / "a b")
    (checkout.path / "python").symlink_to(sys.executable)
    # A Python with such a path, as in a virtual environment there, without making one.
    code = f"import sys; sys.executable = {str(checkout.path / 'python')!r}; from snakemake.cli import main; main()"
    command = [sys.executable, "-c", code, "--cores", "1"]
    done = subprocess.run(command, cwd=checkout.path, capture_output=True, text=True)
    told = done.stdout + done.stderr
    assert done.returncode == 1 and "a b/python: the path of Python has ' ' in it" in told and "Traceback" not in told
    assert not (checkout.path / "results").exists()


def test_no_text_here_has_the_line_ends_of_windows():
    files = [file for folder in SOURCES for file in (ROOT / folder).rglob("*") if file.suffix in TEXTS]
    files += [ROOT / name for name in ("Snakefile", ".gitattributes", "requirements.lock", "README.md")]
    assert len(files) > 200 and not [file for file in files if b"\r\n" in file.read_bytes()]


def test_every_clone_gets_the_line_ends_of_unix():
    lines = (ROOT / ".gitattributes").read_text().splitlines()
    assert "* text=auto eol=lf" in lines
    assert not [line for line in lines if re.search("eol=crlf|-text", line)]


def test_line_ends_are_no_change_of_code():
    """Nor do layout and texts over several lines change their hash."""
    source = '"""Doc."""\n\n\ndef f(x):\n    # why\n    return f"""a\n{x}\n"""\n'
    texts = (source, source.replace("\n", "\r\n"))
    unix, windows = (fingerprint._version(text.encode(), Path("module.py"), "") for text in texts)
    assert unix == windows


def test_a_clone_with_the_line_ends_of_windows_plans_the_same(finished, tmp_path):
    """Of a git that was told to make them in spite of all."""
    shutil.copytree(finished.path, tmp_path / "copy", symlinks=True)
    for folder in ("lmia", "workflow", "profiles"):
        for file in (tmp_path / "copy" / folder).rglob("*"):
            if file.suffix in (".py", ".smk", ".yaml"):
                stat = file.stat()
                file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
                os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert not Checkout(tmp_path / "copy").pending()
