"""What the source never does: unpickle, evaluate, or unpack what a user may have been given."""

import ast

import pytest

from workflow.fingerprint import ROOT

FILES = sorted(file for folder in ("lmia", "workflow") for file in (ROOT / folder).rglob("*.py"))
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "subprocess"}
CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load"}
CALLS |= {"yaml.full_load", "pd.read_pickle", "pandas.read_pickle", "torch.jit.load"}
METHODS = {"extractall", "extract", "unpack_archive"}
NEEDED = {
    "np.load": ("allow_pickle", False),
    "read_array": ("allow_pickle", False),
    "torch.load": ("weights_only", True),
}


def faults(source):
    """Lines of what is forbidden in a source."""
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) else []
        yield from (f"{node.lineno}: imports {name}" for name in names if name and name.split(".")[0] in MODULES)
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            last = called.rpartition(".")[2]
            if called in CALLS or last in METHODS:
                yield f"{node.lineno}: calls {called}"
            for needed in {called, last} & NEEDED.keys():
                option, value = NEEDED[needed]
                given = [word.value for word in node.keywords if word.arg == option]
                if not (given and isinstance(given[0], ast.Constant) and given[0].value is value):
                    yield f"{node.lineno}: calls {called} without {option}={value}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_source_can_execute_what_it_reads(file):
    assert list(faults(file.read_text())) == []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import load",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "yaml.load(text, yaml.Loader)",
        "eval(text)",
        "tar.extractall(folder)",
    ],
)
def test_the_search_finds_what_it_looks_for(line):
    assert len(list(faults(line))) == 1
