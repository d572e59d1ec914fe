"""Attempts at a job of two outputs."""

from pathlib import Path

from lmia import artifacts
from workflow.harness import result_records
from workflow.harness.job_outputs import Attempt

OUTPUTS = ["results/one.npz", "results/two.txt"]
RECORD = result_records.record_of({"code": ["a.py@1"], "n": 1}, {})


def begin(outputs=OUTPUTS):
    return Attempt(outputs, RECORD)


def write(attempt, text):
    artifacts.save(attempt.path(OUTPUTS[0]), "text", {"text": text}, {})
    Path(attempt.path(OUTPUTS[1])).write_text(text)
