"""How many small errors do the tests see? Changes one thing of the science at a time, and runs the tests near it.

Each mutant lives in a copy of the tracked files. A row of the table that is there already is not run again.
Unlike tests/law/code_edits.py, whose edits only have to change a hash, these are errors that somebody might make.
"""

import argparse
import ast
import copy
import csv
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "benchmarks/results/mutation.csv"
COLUMNS = ("file", "line", "mutation", "result", "by")
NEAR = {  # folders and files of tests, the fast ones first
    "lmia/evaluation": "evaluation boundary/test_boundary.py",
    "lmia/attacks": "attacks test_interfaces.py test_api.py",
    "lmia/calibration": "calibration test_api_pools.py",
    "lmia/boundary": "boundary test_journal.py",
    "lmia/queries": "queries boundary perturbations test_api.py test_journal.py",
    "lmia/perturbations": "perturbations test_api.py",
    "lmia/streams.py": "test_streams.py evaluation/test_intervals.py test_journal.py boundary/test_boundary.py",
    "lmia/splits.py": "test_splits.py test_api_pools.py data/test_data.py",
    "lmia/training": "training test_journal.py test_devices.py defenses",
    "workflow/scripts": "workflow/test_scripts.py workflow/test_golden.py workflow/test_access.py",
}

SWAPS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
CALLS = {"min": "max", "minimum": "maximum", "all": "any", "ceil": "floor", "argmin": "argmax", "cos": "sin"}
CALLS |= {new: old for old, new in CALLS.items()}
# Arguments of progress bars, and those whose change is caught by Python, numpy or torch, or changes nothing.
SKIPPED = {"progress", "desc", "disable", "mininterval", "total", "axis", "dim", "strict"}
# How much is done at once: another number costs time and changes no result.
SIZES = {
    "CHUNK_FLOATS",
    "CHUNK",
    "MIN_EXAMPLES",
    "MAX_QUERIES",
    "MAX_VALUES",
    "MIN_PASSES",
    "PROBES",
    "SLICE",
    "BLOCK_VALUES",
}
UNCHANGED = {"annotation", "returns", "decorator_list", "exc"}  # parts that are hints or messages
ELSEWHERE = "lmia/training/cuda_graphs.py"  # runs on a GPU alone: tests/test_gpu.py


class Change(ast.NodeTransformer):
    """Makes the change of one number in a tree, None for none; then `seen` counts them all.

    `line` is where the change was made.
    """

    def __init__(self, number=None):
        self.number, self.seen, self.line = number, 0, None

    def visit(self, node):
        if is_told(node):
            return node
        for variant in variants(node):
            self.seen += 1
            if self.seen - 1 == self.number:
                self.line = node.lineno
                return variant
        for name, value in ast.iter_fields(node):
            if name in UNCHANGED:
                continue
            if isinstance(value, list):
                value[:] = [self.visit(part) if isinstance(part, ast.AST) else part for part in value]
            elif isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
        return node


def is_told(node):
    """Whether a node only says something to people, or how much is done at once."""
    if isinstance(node, ast.Assign):
        targets = [part for target in node.targets for part in getattr(target, "elts", [target])]
        return {getattr(target, "id", None) for target in targets} <= SIZES
    if isinstance(node, ast.keyword):
        return node.arg in SKIPPED
    if isinstance(node, ast.Expr):
        called = getattr(getattr(node.value, "func", None), "id", None)
        return isinstance(node.value, ast.Constant) or called == "print"
    return isinstance(node, ast.JoinedStr)


def variants(node):
    """Small errors that may stand in a node's place."""
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in SWAPS:
        yield changed(node, op=SWAPS[type(node.op)]())
    elif isinstance(node, ast.Compare):
        for n, operator in enumerate(node.ops):
            yield changed(node, ops=[*node.ops[:n], SWAPS[type(operator)](), *node.ops[n + 1 :]])
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield changed(node, value=not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield from (changed(node, value=node.value + step) for step in (1, -1))
    elif isinstance(node, ast.Call):
        name = "attr" if isinstance(node.func, ast.Attribute) else "id"
        called = getattr(node.func, name, None)
        if called in CALLS:
            yield changed(node, func=changed(node.func, **{name: CALLS[called]}))
        if called == "where" and len(node.args) == 3:
            yield changed(node, args=[node.args[0], node.args[2], node.args[1]])
    elif isinstance(node, ast.If | ast.IfExp | ast.While) and not isinstance(node.test, ast.Compare | ast.UnaryOp):
        yield changed(node, test=ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.AugAssign | ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        yield ast.copy_location(ast.Pass(), node)


def changed(node, **fields):
    """A copy of a node with other fields."""
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return ast.fix_missing_locations(other)


def mutant(source, number):
    """(line, "old -> new", the mutated source)."""
    change = Change(number)
    text = ast.unparse(change.visit(ast.parse(source)))
    lines = zip(ast.unparse(ast.parse(source)).splitlines(), text.splitlines(), strict=False)
    old, new = next((old.strip(), new.strip()) for old, new in lines if old != new)
    return change.line, f"{old} -> {new}", text


def sample(folder, count, seed):
    """The first `count` mutants of a folder in an order that the seed gives, as (file, line, mutation) -> source."""
    files = [ROOT / folder] if folder.endswith(".py") else sorted((ROOT / folder).rglob("*.py"))
    sources = {file: file.read_text() for file in files if file != ROOT / ELSEWHERE}
    spots = []
    for file, source in sources.items():
        every = Change()
        every.visit(ast.parse(source))
        spots += [(file, number) for number in range(every.seen)]
    random.Random(f"{seed} {folder}").shuffle(spots)
    found = {}
    for file, number in spots[:count]:
        line, mutation, text = mutant(sources[file], number)
        found[str(file.relative_to(ROOT)), str(line), mutation] = text
    return found


class Copy:
    """The tracked files in a folder of their own, in which tests run."""

    def __init__(self, folder):
        self.folder = Path(folder)
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
        for name in filter(None, listed.stdout.split("\0")):
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, self.folder / name)

    def test(self, tests, timeout):
        """("killed", "survived" or "timeout"; the test that failed, "" for none)."""
        # Bytecode is told from its source by time and size, which a mutant may share with the last one.
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "pytest", "-xq", "--tb=no", "-p", "no:cacheprovider", *tests]
        process = subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip
        try:
            printed, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # with what the tests have started
            process.communicate()
            return "timeout", ""
        if process.returncode not in (0, 1, 2, 3):
            raise RuntimeError(f"pytest ended with {process.returncode}: {printed}")
        failed = re.search(r"^(?:FAILED|ERROR) (\S+)", printed, re.M)
        return ("killed" if process.returncode else "survived"), failed[1] if failed else ""

    def test_mutant(self, file, source, tests, timeout):
        """The same of the copy with one file's source exchanged."""
        original = (self.folder / file).read_text()
        (self.folder / file).write_text(source)
        try:
            return self.test(tests, timeout)
        finally:
            (self.folder / file).write_text(original)


def near(folder):
    """Folders and files of the tests near a folder."""
    return [f"tests/{name}" for name in NEAR[folder].split()]


def load():
    """(file, line, mutation) -> row of the table as it is."""
    if not TABLE.exists():
        return {}
    with TABLE.open(newline="") as file:
        return {(row["file"], row["line"], row["mutation"]): row for row in csv.DictReader(file)}


def save(rows):
    with TABLE.open("w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(sorted(rows.values(), key=lambda row: (row["file"], int(row["line"]), row["mutation"])))


def limits(copy, folders):
    """Most seconds that a mutant of each folder may take, from how long the tests take without one."""
    found = {}
    for folder in folders:
        start = time.monotonic()
        result, failed = copy.test(near(folder), None)
        if result != "survived":
            raise SystemExit(f"{folder}: {failed} fails without any mutant")
        found[folder] = 20 + 3 * (time.monotonic() - start)
    return found


def run(folders, count, seed, jobs, again):
    rows, copies, todo = load(), queue.SimpleQueue(), {}
    for folder in folders:
        for key, source in sample(folder, count, seed).items():
            result = rows[key]["result"] if key in rows else None
            if result == ("survived" if again else None):
                todo[key] = folder, source
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(jobs) as pool:
        for number in range(jobs):
            copies.put(Copy(f"{scratch}/{number}"))
        timeouts = limits(Copy(f"{scratch}/unchanged"), dict.fromkeys(folder for folder, _ in todo.values()))

        def judge(key):
            folder, source = todo[key]
            own = copies.get()
            try:
                return key, own.test_mutant(key[0], source, near(folder), timeouts[folder])
            finally:
                copies.put(own)

        started = [pool.submit(judge, key) for key in todo]
        try:
            for done in tqdm(as_completed(started), total=len(started), desc="mutants"):
                key, outcome = done.result()
                rows[key] = dict(zip(COLUMNS, (*key, *outcome), strict=True))
                save(rows)
        finally:
            pool.shutdown(cancel_futures=True)  # after Ctrl-C, those that run end, and no other begins
    for folder in folders:
        results = Counter(row["result"] for row in rows.values() if row["file"].startswith(folder))
        seen = results["killed"] + results["timeout"]
        print(f"{folder}: {seen} of {results.total()} seen, {results['timeout']} of them by a timeout")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", action="append", choices=NEAR, help="default: all, one after another")
    parser.add_argument("--count", type=int, default=20, help="mutants of each folder; more go on from fewer")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="mutants at once, each in a copy of the repository")
    parser.add_argument("--again", action="store_true", help="run survivors alone once more, after new tests")
    args = parser.parse_args()
    run(args.folder or list(NEAR), args.count, args.seed, args.jobs, args.again)


if __name__ == "__main__":
    main()
