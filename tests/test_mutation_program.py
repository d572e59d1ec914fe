"""The program that counts which small errors the tests see names files that are there, and passes over sizes."""

import ast
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROGRAM = runpy.run_path(str(ROOT / "benchmarks/mutation.py"))


@pytest.mark.parametrize("folder", PROGRAM["NEAR"])
def test_code_and_the_tests_near_it_are_there(folder):
    paths = [folder, *PROGRAM["near"](folder)]
    assert len(paths) > 1 and not [path for path in paths if not (ROOT / path).exists()]


def test_the_table_names_files_and_tests_that_are_there():
    named = {path for row in PROGRAM["load"]().values() for path in (row["file"], row["by"].partition("::")[0]) if path}
    assert named and not [path for path in sorted(named) if not (ROOT / path).exists()]


def test_sizes_are_constants_of_the_library():
    nodes = ast.walk(ast.parse("".join(file.read_text() for file in ROOT.glob("lmia/**/*.py"))))
    assigned = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    assert PROGRAM["SIZES"] <= assigned


@pytest.mark.parametrize("line, n_mutants", [("CHUNK = 3", 0), ("CHUNK, PROBES = 3, 4", 0), ("CHUNK, other = 3, 4", 4)])
def test_sizes_are_passed_over(line, n_mutants):
    change = PROGRAM["Change"]()
    change.visit(ast.parse(line))
    assert change.seen == n_mutants
