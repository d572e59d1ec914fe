"""Freed memory stays: large arrays come and go without page faults."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import resource
import numpy as np
from workflow.harness.freed_memory import keep_freed_memory

told = {told}
arrays = [np.ones(1 << 20) for _ in range(3)]
del arrays
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    arrays = [np.ones(1 << 20) for _ in range(3)]
    del arrays
print(int(told), resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(told):
    command = [sys.executable, "-c", PROGRAM.format(told=told)]
    done = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True)
    return map(int, done.stdout.split())


def test_freed_pages_are_kept_where_the_c_library_can_be_told():
    told, kept = faults("keep_freed_memory()")
    if not told:
        pytest.skip("this C library is not glibc: its allocator cannot be told")
    _, returned = faults("False")
    assert kept < 100 < returned
