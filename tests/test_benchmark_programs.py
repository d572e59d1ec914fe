"""Programs in benchmarks/ call functions of this repository with arguments that these take, and find lmia themselves.

Most of them run only when something is measured again. So their calls are read, not made: those of functions and
classes of lmia, of the workflow and of benchmarks, and those by `partial`. Left out are methods of objects, calls with
* or **, names that only running would tell, and functions of the programs in NOT_IMPORTED; what these call of others is
checked.
"""

import ast
import functools
import importlib
import inspect
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parent.parent
TREES = {file.stem: ast.parse(file.read_text()) for file in sorted((ROOT / "benchmarks").glob("*.py"))}
PROGRAMS = [name for name, tree in TREES.items() if ast.unparse(tree.body[-1]).startswith("if __name__ == '__main__'")]
NOT_IMPORTED = ("accounting", "probe_kernels")  # need dp_accounting and numba, which no environment of the project has
OTHER_CHECKOUTS = ("own_network",)  # imports lmia only in processes that first put a checkout on their path
LIBRARY = ("lmia", "workflow")
FUNCTIONS = (ast.FunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)  # have own names


@pytest.fixture(scope="module")
def load():
    """Dotted name -> module of this repository, or functools; None for others. What importing changes is undone."""
    before, threads = set(sys.modules), torch.get_num_threads()

    @functools.cache
    def imported(name):
        top = name.partition(".")[0]
        ours = top in (*LIBRARY, *TREES, "functools") and top not in NOT_IMPORTED
        return importlib.import_module(name) if ours else None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            patch.setenv(name, "1")  # released.py sets them
        yield imported
    torch.set_num_threads(threads)
    for name in TREES.keys() & set(sys.modules) - before:
        del sys.modules[name]


def names_in(scope, load):
    """Name -> what an import in a module or function gives it, None where something else does."""
    found, pending = {}, list(ast.iter_child_nodes(scope))
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                found[alias.asname or top] = load(alias.name if alias.asname else top)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found[alias.asname or alias.name] = part(load(node.module), alias.name, load)
        elif isinstance(node, ast.arg):
            found[node.arg] = None
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found[node.id] = None
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = None
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            pending += ast.iter_child_nodes(node)
    return found


def part(owner, name, load):
    """What a module or class has by this name, also where it is a module that has not been imported yet."""
    if not hasattr(owner, name) and inspect.ismodule(owner) and hasattr(owner, "__path__"):
        return load(f"{owner.__name__}.{name}")
    return getattr(owner, name, None) if inspect.ismodule(owner) or inspect.isclass(owner) else None


def meant(node, scopes, load):
    """What a name, or a name with dots, stands for; None where only running would tell."""
    if isinstance(node, ast.Attribute):
        return part(meant(node.value, scopes, load), node.attr, load)
    name = node.id if isinstance(node, ast.Name) else None
    return next((scope[name] for scope in reversed(scopes) if name in scope), None)


def calls_in(node, scopes, load):
    """(call, names of the scopes around it) of all calls below a node."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield child, scopes
        inner = [*scopes, names_in(child, load)] if isinstance(child, FUNCTIONS) else scopes
        yield from calls_in(child, inner, load)


def signature_of(target):
    """The signature of a function or class of this repository, None of anything else."""
    if not (inspect.isroutine(target) or inspect.isclass(target)):
        return None
    home = getattr(inspect.unwrap(target), "__module__", None) or ""
    try:
        return inspect.signature(target) if home.partition(".")[0] in (*LIBRARY, *TREES) else None
    except ValueError:  # a class that leaves its arguments to one of Python's own
        return None


def check_calls(tree, load, module=None):
    """(how many calls could be checked, a line for each whose arguments are not taken) of a module's source.

    module: the same, imported; without it, what is defined in the source is not told.
    """
    checked, faults = 0, []
    for call, scopes in calls_in(tree, [vars(module) if module else names_in(tree, load)], load):
        target, values = meant(call.func, scopes, load), call.args
        is_part = target is functools.partial and bool(values)
        if is_part:
            target, values = meant(values[0], scopes, load), values[1:]
        signature = signature_of(target)
        keywords = [keyword.arg for keyword in call.keywords]
        if signature is None or None in keywords or any(isinstance(value, ast.Starred) for value in values):
            continue
        checked += 1
        try:
            (signature.bind_partial if is_part else signature.bind)(*values, **dict.fromkeys(keywords))
        except TypeError as error:
            faults.append(f"line {call.lineno}: {ast.unparse(call)}: {error}, of {target.__name__}{signature}")
    return checked, faults


@pytest.mark.parametrize("name", TREES)
def test_calls_of_our_functions_have_the_arguments_that_these_take(name, load):
    _, faults = check_calls(TREES[name], load, load(name))
    assert not faults, "\n".join([f"benchmarks/{name}.py:", *faults])


def test_most_programs_have_calls_that_are_checked(load):
    counts = {name: check_calls(tree, load, load(name))[0] for name, tree in TREES.items()}
    assert sum(counts.values()) > 300, counts


@pytest.mark.parametrize(
    "source, n_faults",
    [
        ("from subjects import load_data\nload_data('cnn', None, 5000, 0)", 1),
        ("from subjects import load_data\nload_data('cnn', None, None, 5000, 0)", 0),
        ("import subjects\ndef run(npz):\n    return subjects.load_data('cnn', npz, 5000, seed=0)", 1),
        ("from lmia.models import mlp\nmlp.build((1,), 2, hiden=3)", 1),
        ("def run():\n    from lmia.models import mlp\n    return [mlp.build() for _ in '12']", 1),
        ("from functools import partial\nfrom lmia.models import mlp\npartial(mlp.build, hiden=3)", 1),
        ("from functools import partial\nfrom lmia.models import mlp\npartial(mlp.build, hidden=3)", 0),
        ("from subjects import load_data\ndef run(load_data, *rest):\n    load_data(1)\nload_data(*[1])", 0),
    ],
)
def test_a_call_that_would_fail_is_found(source, n_faults, load):
    assert len(check_calls(ast.parse(source), load)[1]) == n_faults


def imports_of(nodes):
    """First parts of the names of modules that these nodes import."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]


@functools.cache
def needs_library(module):
    """Whether importing a module imports lmia or the workflow, which are not installed beside requirements.lock."""
    return module in LIBRARY or module in TREES and any(map(needs_library, imports_of(TREES[module].body)))


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_put_the_repository_on_the_path_before_they_import_of_it(name):
    body = TREES[name].body
    inserts = [at for at, node in enumerate(body) if ast.unparse(node).startswith("sys.path.insert(0, str(")]
    needing = [at for at, node in enumerate(body) if any(map(needs_library, imports_of([node])))]
    assert not needing or inserts and inserts[0] < needing[0], f"{ast.unparse(body[needing[0]])} comes first"
    later = any(map(needs_library, imports_of(ast.walk(TREES[name]))))  # in functions, when all of the body has run
    assert inserts or not later or name in OTHER_CHECKOUTS


@pytest.mark.parametrize("name", TREES)
def test_no_program_imports_a_test(name):
    assert "tests" not in imports_of(ast.walk(TREES[name]))
