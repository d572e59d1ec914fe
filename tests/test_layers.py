"""The rooms of the library and of the workflow, and who may import whom."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NAMES = {str(file.relative_to(ROOT)): file for file in sorted(ROOT.glob("lmia/**/*.py"))}
# Models are made, then asked, then answers are read; `api*.py` offer all of it to a notebook: each
# room imports itself, those before it, and the core, which is what lies in no room.
ROOMS = {
    "make": ("data", "models", "targets", "defenses", "training"),
    "ask": ("perturbations", "queries", "boundary", "crafting"),
    "read": ("attacks", "audit", "calibration", "evaluation", "figures"),
    "offer": ("api", "api_checks", "api_observations", "api_options", "api_pools"),
}


# Folder of the workflow -> the others that it may import.
WORKFLOW = {
    "harness": (),
    "config": ("harness",),
    "tools": ("config", "harness"),
    "scripts": ("harness",),
}


def imports(file):
    """Names of the modules that one file imports, also inside functions, but not for its hints alone."""
    found, tree = set(), ast.parse(file.read_text())
    hints = [node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    of_hints = {part for node in hints for part in ast.walk(node)}
    for node in ast.walk(tree):
        if node in of_hints:
            continue
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
            file = ROOT / (imported.replace(".", "/") + ".py")
            if file.exists():
                pending.append(file)
    return seen


def room_of(module):
    """The room of a dotted name, None for the core."""
    folder = f"{module}.".split(".")[1] if module.startswith("lmia.") else ""
    return next((room for room, folders in ROOMS.items() if folder in folders), None)


def under(room):
    return [name for name in NAMES if room_of(name.replace("/", ".")) == room]


def test_every_folder_is_in_a_room():
    folders = {Path(name).parts[1] for name in NAMES if len(Path(name).parts) > 2}
    assert folders == {folder for room in ROOMS.values() for folder in room} - {*ROOMS["offer"]}  # which are files


@pytest.mark.parametrize("name", NAMES)
def test_rooms_import_what_comes_before_them(name):
    order = [None, *ROOMS]
    own = order.index(room_of(name.replace("/", ".")))
    assert not {module for module in imports(NAMES[name]) if order.index(room_of(module)) > own}


@pytest.mark.parametrize("name", under("read"))
def test_no_torch_in_what_reads_answers(name):
    assert not {module for module in closure(name) if module.split(".")[0] in ("torch", "torchvision")}


@pytest.mark.parametrize("name", under("ask"))
def test_no_membership_in_what_asks(name):
    """Nor in anything that it imports: no splits, no points drawn by them, no models that come with theirs."""
    imported = {module.replace(".", "/") + ".py" for module in closure(name)}
    for file in {name, *imported} & set(NAMES):
        assert "member" not in NAMES[file].read_text().replace("membership", "").replace("remember", ""), file


@pytest.mark.parametrize("name", NAMES)
def test_the_library_knows_no_workflow(name):
    assert not {module for module in imports(NAMES[name]) if module.split(".")[0] in ("snakemake", "workflow", "yaml")}


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("__init__.py")])
def test_packages_import_nothing_by_themselves(name):
    assert imports(NAMES[name]) <= {"importlib"}  # or every job's fingerprint would hold all of them


@pytest.mark.parametrize("folder", WORKFLOW)
def test_folders_of_the_workflow_import_what_they_may(folder):
    assert {path.name for path in (ROOT / "workflow").iterdir() if [*path.glob("*.py")]} == WORKFLOW.keys()
    for file in (ROOT / "workflow" / folder).rglob("*.py"):
        used = {module.split(".")[1] for module in imports(file) if module.startswith("workflow.")}
        assert used <= {folder, *WORKFLOW[folder]}, file


@pytest.mark.parametrize("file", sorted(ROOT.glob("tests/**/*.py")), ids=lambda file: str(file.relative_to(ROOT)))
def test_no_module_imports_a_module_of_tests(file):
    """What two of them need lies beside them under another name, fixtures in their folder's conftest.py."""
    assert not {name for name in imports(file) if any(part.startswith("test_") for part in name.split("."))}


def test_no_two_modules_import_each_other():
    """Whatever lies on the way between them."""
    files = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in ROOT.glob("[lw]*/**/*.py")}
    assert len(files) > 200
    graph = TopologicalSorter({name: imports(path) & files.keys() - {name} for name, path in files.items()})
    try:
        graph.prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_the_page_of_the_design_names_every_module_of_the_core_and_of_what_is_offered():
    page = (ROOT / "docs/explanation/design.md").read_text()
    missing = [name for name in NAMES if len(Path(name).parts) == 2 and f"`{Path(name).name}`" not in page]
    tools = [file.stem for file in (ROOT / "workflow/tools").glob("[!_]*.py") if f"`{file.stem}`" not in page]
    assert not missing and not tools
