"""Snakemake's own lint of the rules."""

import subprocess
import sys

from workflow.harness.fingerprint import ROOT


def test_snakemake_finds_nothing_to_mend():
    command = [sys.executable, "-m", "snakemake", "--lint"]
    lint = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert lint.returncode == 0, lint.stdout + lint.stderr
