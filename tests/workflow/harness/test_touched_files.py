"""Code that is replaced while its job runs, and put back: seen if it was imported meanwhile, and only then."""

import importlib
import os
import sys

import pytest

from workflow.harness.touched_files import Imports


def touch(path):
    """Let a file have another time of status, which has the steps of the kernel's clock."""
    before = os.stat(path).st_ctime_ns
    while os.stat(path).st_ctime_ns == before:
        os.utime(path)


def exchanged(path):
    """Replace a file, and put it back."""
    path.rename(path.with_suffix(".kept"))
    path.with_suffix(".kept").rename(path)
    touch(path)


@pytest.fixture
def code(tmp_path, monkeypatch):
    """Path of a module that a job may import, and a function that begins the job: Snakemake has written its copy."""
    file, script, copy = tmp_path / "part_of_a_job.py", tmp_path / "script.py", tmp_path / "copy.py"
    file.touch()
    script.touch()
    copy.touch()
    touch(copy)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(copy)])
    monkeypatch.setattr(sys, "meta_path", sys.meta_path[:])
    yield file, lambda: Imports({script: "", file: file.stem})
    sys.modules.pop(file.stem, None)


def test_code_that_nobody_touches_is_as_it_was(code):
    file, begin = code
    imports = begin()
    importlib.import_module(file.stem)
    assert not imports.touched()


def test_code_that_was_replaced_before_the_job_looked_is_seen(code):
    """As it is imported at the top of the script."""
    file, begin = code
    importlib.import_module(file.stem)
    exchanged(file)
    assert begin().touched() == {file}


def test_code_that_is_not_imported_may_be_touched(code):
    file, begin = code
    exchanged(file)
    imports = begin()
    exchanged(file)
    assert not imports.touched()


def test_the_script_counts_as_imported(code):
    script = code[0].with_name("script.py")
    exchanged(script)
    assert code[1]().touched() == {script}


def test_code_that_is_replaced_as_it_is_imported_is_seen(code):
    file, begin = code
    imports = begin()
    touch(file)
    importlib.import_module(file.stem)
    assert imports.touched() == {file}


def test_code_that_is_touched_long_after_its_import_fails_no_job(code):
    """As by a `git stash` and `git stash pop` while models are trained."""
    file, begin = code
    imports = begin()
    importlib.import_module(file.stem)
    exchanged(file)
    assert not imports.touched()


def test_code_that_was_imported_under_another_name_is_looked_at_in_the_end(code, monkeypatch):
    file, begin = code
    imports = begin()
    touch(file)
    monkeypatch.syspath_prepend(file.parent.parent)
    name = f"{file.parent.name}.{file.stem}"
    importlib.import_module(name)
    assert imports.touched() == {file}
    del sys.modules[name], sys.modules[file.parent.name]


def test_another_file_behind_a_link_is_seen(code):
    file, begin = code
    for name in ("one.py", "two.py"):
        (file.parent / name).touch()
    file.unlink()
    file.symlink_to("one.py")
    imports = begin()
    file.unlink()
    file.symlink_to("two.py")
    importlib.import_module(file.stem)
    file.unlink()
    file.symlink_to("one.py")
    assert imports.touched() == {file}


def test_a_link_that_was_exchanged_before_the_job_looked_is_seen(code):
    file, begin = code
    file.with_name("one.py").touch()
    touch(sys.argv[0])
    importlib.import_module(file.stem)
    began = os.stat(sys.argv[0]).st_ctime_ns
    while not file.is_symlink() or os.lstat(file).st_ctime_ns <= began:
        file.unlink()
        file.symlink_to("one.py")
    assert begin().touched() == {file}
