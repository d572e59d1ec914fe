"""What the source never does: unpickle, evaluate, or unpack what a user may have been given."""

import ast
import re

import pytest

from workflow.harness.fingerprint import ROOT

FILES = sorted(file for folder in ("lmia", "workflow") for file in (ROOT / folder).rglob("*.py"))
RULES = [ROOT / "Snakefile", *sorted((ROOT / "workflow/rules").glob("*.smk"))]
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "subprocess"}
CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load"}
CALLS |= {"yaml.full_load", "pandas.read_pickle", "torch.jit.load"}
TRUSTED = {
    # Called after the SHA-256 of what it reads was found to be the one that the user trusts.
    "lmia/targets/torchscript.py": ["calls torch.jit.load"],
    "lmia/targets/sklearn.py": ["imports joblib"],
    # These run a job's script, which Snakemake has written, and would start by itself.
    "workflow/harness/fork_server.py": ["calls exec", "calls compile"],
    "workflow/harness/forked_jobs.py": ["imports subprocess"],
}
METHODS = {"extractall", "extract", "unpack_archive"}
NEEDED = {
    "numpy.load": ("allow_pickle", False),
    "read_array": ("allow_pickle", False),
    "torch.load": ("weights_only", True),
}
IN_RULES = re.compile(  # which are no Python to parse, and need nothing of all this
    rf"\b({'|'.join(MODULES)})\b|\b({'|'.join(map(re.escape, CALLS | METHODS))})\(|\b(np|numpy|torch)\.load\("
)


def imports(tree):
    """(line, module, name as imported or "", name in the source) of all imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, "", alias.asname or alias.name) for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, node.module, alias.name, alias.asname or alias.name) for alias in node.names)


def faults(source):
    """Lines of what is forbidden in a source."""
    tree, meant = ast.parse(source), {}
    for line, module, name, here in imports(tree):
        meant[here] = f"{module}.{name}" if name else module
        if module.split(".")[0] in MODULES:
            yield f"{line}: imports {module}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            first, dot, rest = ast.unparse(node.func).partition(".")
            called = meant.get(first, first) + dot + rest
            last = called.rpartition(".")[2]
            if called in CALLS or last in METHODS:
                yield f"{node.lineno}: calls {called}"
            for needed in {called, last} & NEEDED.keys():
                option, value = NEEDED[needed]
                given = [word.value for word in node.keywords if word.arg == option]
                if not (given and isinstance(given[0], ast.Constant) and given[0].value is value):
                    yield f"{node.lineno}: calls {called} without {option}={value}"


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.name)
def test_no_rule_can_execute_what_it_reads(file):
    assert IN_RULES.search(file.read_text()) is None


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_source_can_execute_what_it_reads(file):
    found = [line.partition(": ")[2] for line in faults(file.read_text())]
    assert found == TRUSTED.get(str(file.relative_to(ROOT)), [])


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import load",
        "import numpy as np; np.load(path)",
        "import numpy; numpy.load(path)",
        "from numpy import load; load(path)",
        "import numpy as np; np.load(path, allow_pickle=True)",
        "import torch; torch.load(path)",
        "from torch import load as read; read(path)",
        "import torch; torch.load(path, weights_only=False)",
        "import yaml; yaml.load(text, yaml.Loader)",
        "import pandas as pd; pd.read_pickle(path)",
        "eval(text)",
        "tar.extractall(folder)",
    ],
)
def test_the_search_finds_what_it_looks_for(line):
    assert len(list(faults(line))) == 1


@pytest.mark.parametrize("line", ["import pickle", "    x = eval(text)", "np.load(path)", "tar.extractall(folder)"])
def test_the_search_of_rules_finds_what_it_looks_for(line):
    assert IN_RULES.search(line)
