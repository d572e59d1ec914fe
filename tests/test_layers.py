"""The layers: who may import whom."""

import ast
from pathlib import Path

import pytest

LMIA = Path(__file__).parent.parent / "lmia"
NAMES = {str(file.relative_to(LMIA.parent)): file for file in sorted(LMIA.rglob("*.py"))}


def imports(file):
    """Names of the modules that one file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def closure(name):
    """All that a file imports, directly or through other files of lmia."""
    seen, pending = set(), [NAMES[name]]
    while pending:
        for imported in imports(pending.pop()) - seen:
            seen.add(imported)
            file = LMIA.parent / (imported.replace(".", "/") + ".py")
            if file.exists():
                pending.append(file)
    return seen


def under(*folders):
    return [name for name in NAMES if any(name.startswith(f"lmia/{folder}") for folder in folders)]


@pytest.mark.parametrize(
    "name",
    under("attacks", "metrics", "figures", "scoring", "intervals", "tables", "flags", "observations", "stopping"),
)
def test_no_torch_in_what_reads_answers(name):
    assert not {module for module in closure(name) if module.split(".")[0] in ("torch", "torchvision")}


QUERY_CODE = (
    "oracle",
    "fixed_queries",
    "boundary",
    "confidences",
    "hopskipjump",
    "journal",
    "schedules",
    "search_state",
    "starts",
    "directions",
    "noise",
    "precision",
    "perturbations",
    "streams",
    "white_box",
)


@pytest.mark.parametrize("name", under(*QUERY_CODE))
def test_no_membership_in_query_code(name):
    assert "lmia.splits" not in closure(name)
    assert "member" not in NAMES[name].read_text().replace("membership", "").replace("remember", "")


@pytest.mark.parametrize("name", NAMES)
def test_the_library_knows_no_workflow(name):
    assert not {module for module in imports(NAMES[name]) if module.split(".")[0] in ("snakemake", "workflow", "yaml")}


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("__init__.py")])
def test_packages_import_nothing_by_themselves(name):
    assert not imports(NAMES[name])  # or every job's fingerprint would hold all of them
