"""The garbage collector waits for many new objects, and does its work all the same."""

import subprocess
import sys

PROGRAM = """
import gc, weakref
from workflow.harness import garbage_collector

class Ring:
    def __init__(self):
        self.itself = self

garbage_collector.install()
gone = weakref.ref(Ring())
rounds = gc.get_stats()[0]["collections"]
kept = [[] for _ in range(garbage_collector.OBJECTS // 2)]
print(gc.get_stats()[0]["collections"] - rounds, gone() is None)
more = [[] for _ in range(garbage_collector.OBJECTS)]
print(gc.get_stats()[0]["collections"] - rounds, gone() is None)
"""


def test_it_waits_for_many_objects_and_then_takes_rings_away():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "False", "1", "True"]
