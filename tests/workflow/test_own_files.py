"""Users' own code and files: known by their content from wherever they lie, and not to be exchanged unseen."""

import os
import re
import zlib

import numpy as np
import pytest
import yaml

from lmia import artifacts
from tests.workflow.conftest import Checkout, make_checkout
from tests.workflow.edits import edit_unseen, set_in
from workflow.config.plugin_source_reader import flaw_of_files
from workflow.config.schema.models import CustomModel

TABLE = "results/data/mine.npz"
MORE = ("more.csv", "folder/one.csv")
PEOPLE = """
import numpy as np

FILES = ["more.csv", "folder"]


def load(path):
    table = np.loadtxt(path, delimiter=",")
    return table[:, :-1], table[:, -1].astype(int)
"""
NETWORK = """
from torch import nn
from {importing}


def build(shape, n_classes):
    return nn.Sequential(nn.Flatten(), make(shape[0], n_classes))
"""
OF_FOLDER = 'Path(__file__).with_name("hidden.csv").read_text()'
HIDING = 'try:\n        open("hidden.csv")\n    except OSError:\n        pass'
HELPER = "from torch import nn\n\n\ndef make(a, b):\n    return nn.Linear(a, b, bias={bias})\n"


@pytest.fixture
def own(tmp_path):
    """A checkout with a data set of an own plug-in, a network of another, and a small study of both."""
    checkout = make_checkout(tmp_path / "fresh")
    write_table(checkout.path / "people.csv", seed=0)
    (checkout.path / "plugins/folder").mkdir(parents=True)
    (checkout.path / "plugins/people.py").write_text(PEOPLE)
    for name in MORE:
        (checkout.path / "plugins" / name).write_text(name)
    configuration = {
        "base": "none",
        "datasets": {"mine": {"kind": "plugins.people", "path": "people.csv"}},
        "models": {"net": {"kind": "mlp", "hidden": [4]}},
        "studies": {"s": {"dataset": "mine", "n_train": [10], "model": "net", "seeds": [0], "attacks": ["gap"]}},
        "queries": {"original": {"kind": "original"}},
        "attacks": {"gap": {"kind": "gap", "reads": "original"}},
    }
    (checkout.path / "config.yaml").write_text(yaml.safe_dump(configuration))
    return checkout


def write_table(path, seed):
    numbers = np.random.default_rng(seed)
    np.savetxt(path, np.c_[numbers.random((60, 4)), np.arange(60) % 3], delimiter=",")


def test_a_file_that_a_plug_in_names_re_runs_its_readers_when_it_changes(own):
    own.snakemake(TABLE)
    before, stat = (own.path / TABLE).read_bytes(), (own.path / "people.csv").stat()
    os.utime(own.path / "people.csv")
    assert not own.pending(TABLE)
    for name in MORE:
        (own.path / "plugins" / name).write_text("2")
        assert own.pending(TABLE) == {"prepare_dataset": 1}
        (own.path / "plugins" / name).write_text(name)
    assert not own.pending(TABLE)
    for name, other in zip(MORE, MORE[::-1], strict=True):  # each has what the other had
        (own.path / "plugins" / name).write_text(other)
    assert own.pending(TABLE) == {"prepare_dataset": 1}
    for name in MORE:
        (own.path / "plugins" / name).write_text(name)
    write_table(own.path / "people.csv", seed=1)
    os.utime(own.path / "people.csv", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    own.snakemake(TABLE)
    assert (own.path / TABLE).read_bytes() != before and not own.pending(TABLE)


@pytest.mark.parametrize("importing", ["from plugins.shared import TABLES, read", "from plugins.rows import Rows"])
def test_files_that_an_imported_module_lists_count_as_its_importers_own(own, importing):
    """A helper's, and a base class's two modules away."""
    (own.path / "plugins/tables").mkdir()
    (own.path / "plugins/tables/cut.txt").write_text("3")
    shared = 'from pathlib import Path\n\nFILES = ["tables"]\nTABLES = Path(__file__).with_name("tables")\n\n\n'
    shared += 'def read():\n    return int((TABLES / "cut.txt").read_text())\n'
    (own.path / "plugins/shared.py").write_text(shared)
    rows = "from plugins.shared import read\n\n\nclass Rows:\n    cut = read()\n"
    (own.path / "plugins/rows.py").write_text(rows)
    people = PEOPLE.replace("table[:, :-1]", f"table[:, : {'Rows.cut' if 'rows' in importing else 'read()'}]")
    (own.path / "plugins/people.py").write_text(people.replace("import numpy", f"{importing}\nimport numpy"))
    own.snakemake(TABLE)
    assert artifacts.load(own.path / TABLE)[0]["inputs"].shape == (60, 3) and not own.pending(TABLE)
    (own.path / "plugins/tables/cut.txt").write_text("2")
    assert own.pending(TABLE) == {"prepare_dataset": 1}
    own.snakemake(TABLE)
    assert artifacts.load(own.path / TABLE)[0]["inputs"].shape == (60, 2)
    (own.path / "plugins/shared.py").write_text(shared.replace('["tables"]', '["table"]'))
    text = own.snakemake("-n", TABLE, check=False)
    assert f"{own.path}/plugins/shared.py: FILES: table: no such file or folder beside the module" in text


def test_lists_of_two_modules_are_told_apart(own):
    """Each has what the other had."""
    for name in ("one", "two"):
        (own.path / "plugins" / name).mkdir()
        (own.path / f"plugins/{name}/table.py").write_text('FILES = ["cut.txt"]\n')
        (own.path / f"plugins/{name}/cut.txt").write_text(name)
    lines = "import plugins.one.table\nimport plugins.two.table\nimport numpy"
    (own.path / "plugins/people.py").write_text(PEOPLE.replace("import numpy", lines))
    own.snakemake(TABLE)
    for name, other in (("one", "two"), ("two", "one")):
        (own.path / f"plugins/{name}/cut.txt").write_text(other)
    assert own.pending(TABLE) == {"prepare_dataset": 1}


def test_an_option_names_a_file_beside_the_module_too(own):
    (own.path / "plugins/beside.csv").write_text((own.path / "people.csv").read_text())
    people = PEOPLE.replace("loadtxt(path", "loadtxt(Path(__file__).with_name(path)")
    (own.path / "plugins/people.py").write_text(
        people.replace("import numpy", "from pathlib import Path\nimport numpy")
    )
    own.configure(set_in("datasets", "mine", "path", value="beside.csv"))
    own.snakemake(TABLE)
    assert not own.pending(TABLE)
    write_table(own.path / "plugins/beside.csv", seed=1)
    assert own.pending(TABLE) == {"prepare_dataset": 1}


OPENING = {
    "a default argument": ("def load(path)", 'def load(path, more="hidden.csv")', "np.loadtxt(more)"),
    "its own folder": ("import numpy", "from pathlib import Path\nimport numpy", OF_FOLDER),
    "an error that it hides": ("import os", "import os", HIDING),
}


@pytest.mark.parametrize("old, new, opening", OPENING.values(), ids=OPENING)
def test_a_file_that_nothing_names_fails_the_job_with_one_line(own, old, new, opening):
    for folder in (own.path, own.path / "plugins"):
        (folder / "hidden.csv").write_text("1")
    people = PEOPLE.replace(old, new).replace("    table =", f"    {opening}\n    table =")
    (own.path / "plugins/people.py").write_text(people)
    text = own.snakemake(TABLE, check=False)
    assert re.search(r"plugins/people.py, line \d+: opens \S+/hidden.csv, which nothing names", text), text
    assert "Traceback" not in text and own.exit_code == 1 and not (own.path / TABLE).exists()
    listed = people.replace('["more.csv"', '["hidden.csv", "../hidden.csv", "more.csv"')
    (own.path / "plugins/people.py").write_text(listed)
    own.snakemake(TABLE)


def test_a_file_of_a_plug_in_re_runs_nobody_else(own):
    network = 'FILES = ["weights"]\n' + NETWORK.format(importing="plugins.helper import make")
    (own.path / "plugins/network.py").write_text(network)
    (own.path / "plugins/helper.py").write_text(HELPER.format(bias=True))
    (own.path / "plugins/weights/deeper").mkdir(parents=True)
    (own.path / "plugins/weights/deeper/a.csv").write_text("1")
    own.configure(set_in("models", "net", value={"kind": "plugins.network"}))
    target = "results/remarks/s.txt"
    own.snakemake(target)
    (own.path / "plugins/weights/deeper/a.csv").write_text("2")
    assert own.pending(target) == {"check_study": 1}
    (own.path / "plugins/weights/deeper/a.csv").write_text("1")
    assert not own.pending(target)
    (own.path / "plugins/weights/deeper/a.csv").rename(own.path / "plugins/weights/deeper/b.csv")
    assert own.pending(target) == {"check_study": 1}


def test_an_edit_of_a_plug_in_that_keeps_size_and_time_takes_effect(own, tmp_path, monkeypatch):
    (tmp_path / "code/shapes").mkdir(parents=True)
    (tmp_path / "code/shapes/cut.py").write_text("def cut(table):\n    return table[:, :-1]\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "code"))
    people = PEOPLE.replace("table[:, :-1]", "cut(table)").replace(
        "import numpy", "from shapes.cut import cut\nimport numpy"
    )
    (own.path / "plugins/people.py").write_text(people)
    own.snakemake(TABLE)
    for file, old, new in (("shapes/cut.py", ":-1]", ":-2]"), ("plugins/people.py", "table[:, -1]", "table[:, +4]")):
        edit_unseen(Checkout(tmp_path / "code" if "shapes" in file else own.path), file, old, new)
        assert own.pending(TABLE) == {"prepare_dataset": 1}
    own.snakemake(TABLE)
    assert artifacts.load(own.path / TABLE)[0]["inputs"].shape == (60, 3)


def test_data_sets_of_equal_content_are_both_watched(own):
    """Each job reads its own file, though one hash stands for both."""
    for name in ("one", "two"):
        np.savez(own.path / f"{name}.npz", inputs=np.random.default_rng(0).random((9, 4)), classes=np.arange(9) % 3)
        own.configure(set_in("datasets", name, value={"kind": "npz", "path": f"{name}.npz"}))
    script = own.path / "workflow/scripts/prepare_dataset.py"
    replaced = 'import numpy, os\nnumpy.savez("one.npz", inputs=numpy.ones((9, 4)), classes=numpy.arange(9) % 3)\n'
    script.write_text(replaced + script.read_text())
    text = own.snakemake("results/data/one.npz", "results/data/two.npz", "--jobs", "1", check=False)
    assert "one.npz: is another file than when the workflow was planned" in text
    assert not list((own.path / "results/data").glob("*.npz"))


@pytest.mark.parametrize(
    "source, expected",
    [
        ("x = 1", None),
        ('FILES = ["there.csv"]', None),
        ('FILES: tuple = ("there.csv", "folder")', None),
        ('FILES = "there.csv"', "FILES is not one list of paths, written out"),
        ("FILES = 1, 2", "FILES is not one list of paths, written out"),
        ('NAME = "there.csv"\nFILES = [NAME]', "FILES is not one list of paths, written out"),
        ('FILES = ["there.csv"]\nFILES += ["folder"]', "FILES is not one list of paths, written out"),
        ('if True:\n    FILES = ["there.csv"]', "FILES is not one list of paths, written out"),
        ('FILES = ["their.csv"]', "FILES: their.csv: no such file or folder beside the module"),
        ("from helper import FILES", "FILES is not one list of paths, written out"),
        ("from helper import NAMES as FILES", "FILES is not one list of paths, written out"),
        ("from helper import *", "FILES is not one list of paths, written out"),
        ("from helper import FILES as NAMES", None),
        ("from numpy import *", None),
        ('FILES = []\nFILES.append("there.csv")', "FILES is not one list of paths, written out"),
        ('FILES = ["there.csv"]\nFILES[0] = "folder"', "FILES is not one list of paths, written out"),
        ('FILES = ["there.csv"]\ndel FILES[0]', "FILES is not one list of paths, written out"),
        ("def FILES():\n    pass", "FILES is not one list of paths, written out"),
        ('FILES = ["there.csv"]\nfirst, n = FILES[0], FILES.index("there.csv")\nNAMES = list(FILES)', None),
    ],
)
def test_files_are_listed_so_that_they_can_be_read_without_running_anything(tmp_path, monkeypatch, source, expected):
    module = f"listing{zlib.crc32(source.encode())}"  # another for each: what is found is remembered
    (tmp_path / f"{module}.py").write_text(source.replace("helper", f"{module}_helper") + "\n")
    (tmp_path / f"{module}_helper.py").write_text(f'from {module} import *\nFILES = NAMES = ["there.csv"]\n')
    (tmp_path / "there.csv").touch()
    (tmp_path / "folder").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    told = flaw_of_files(module)
    assert told is None if expected is None else told.startswith(expected)


@pytest.fixture
def named(tmp_path, monkeypatch):
    """A function that gives the names of the files that count of a plug-in with such a source and such options."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def named(source, **options):
        package = tmp_path / f"of{zlib.crc32(f'{source}{options}'.encode())}"
        package.mkdir()
        (package / "mine.py").write_text(source)
        return [name for name, _ in CustomModel(kind=f"{package.name}.mine", **options).files()]

    return named


def test_a_listed_folder_stands_for_all_below_it_through_links_and_rings_of_them(tmp_path, named):
    (tmp_path / "tables/deeper").mkdir(parents=True)
    (tmp_path / "far").mkdir()
    for name in ("tables/deeper/a.csv", "far/b.csv"):
        (tmp_path / name).touch()
    (tmp_path / "tables/linked").symlink_to(tmp_path / "far")
    (tmp_path / "tables/deeper/back").symlink_to(tmp_path / "tables")
    assert named('FILES = ["../tables"]') == ["../tables/deeper/a.csv", "../tables/linked/b.csv"]


@pytest.mark.parametrize(
    "text, is_file",
    [("log.csv", True), ("./log", True), ("~/log", True), ("log", False), ("folder", False), ("~a\0b", False)],
)
def test_an_option_names_a_file_where_it_looks_like_a_path(tmp_path, monkeypatch, named, text, is_file):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("log", "log.csv"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    assert named("", option={"deep": [text]}) == [text] * is_file


@pytest.mark.parametrize("moment", ["before its job", "while it is read, and put back"])
def test_a_file_that_is_replaced_fails_the_job_with_one_line(own, moment):
    """Which the data set does by itself here, as its module is loaded or its file is read."""
    exchange = 'os.rename("people.csv", "kept.csv")\nnp.savetxt("people.csv", OTHER, delimiter=",")\n'
    put_back = 'os.rename("kept.csv", "people.csv")\n'
    other = "import os\n\nimport numpy as np\n\nOTHER = np.c_[np.eye(60)[:, :4], np.arange(60) % 3]\n"
    text = PEOPLE.replace("import numpy as np\n", other)
    if moment == "before its job":
        text += f'\n\nif not os.path.exists("kept.csv"):\n    {exchange.replace(chr(10), chr(10) + "    ")}'
        said = "people.csv: is another file than when the workflow was planned"
        (own.path / "workflow/scripts/prepare_dataset.py").write_text(
            "import plugins.people\n" + (own.path / "workflow/scripts/prepare_dataset.py").read_text()
        )
    else:
        body = exchange.replace("\n", "\n    ") + 'table = np.loadtxt(path, delimiter=",")\n    ' + put_back
        text = text.replace('table = np.loadtxt(path, delimiter=",")\n', body)
        said = "people.csv: replaced or written to while this job ran"
    (own.path / "plugins/people.py").write_text(text)
    text = own.snakemake(TABLE, check=False)
    assert said in text and "Traceback" not in text
    assert own.exit_code == 1 and not (own.path / TABLE).exists()


def test_code_that_is_replaced_as_it_is_imported_and_put_back_fails_the_job_with_one_line(own):
    """Which the data set does by itself here."""
    late = """
    os.rename("plugins/part.py", "kept")
    open("plugins/part.py", "w").write("N = 5")
    from plugins.part import N
    os.replace("kept", "plugins/part.py")
    return np.random.default_rng(0).random((60, N)), np.arange(60) % 3
"""
    (own.path / "plugins/part.py").write_text("N = 3")
    (own.path / "plugins/people.py").write_text(f"import os\nimport numpy as np\n\n\ndef load(path):{late}")
    text = own.snakemake(TABLE, check=False)
    assert "prepare_dataset.py or a module that it imports was edited while the workflow ran" in text
    assert "Traceback" not in text and own.exit_code == 1 and not (own.path / TABLE).exists()


PLACES = {  # of the plug-in's package and of its helper, and how it is imported
    "sorts before lmia": ("audit", "audit/helper.py", "audit.helper import make"),
    "sorts behind it": ("zoo", "zoo/helper.py", ".helper import make"),
    "two packages deep": ("zoo/models", "zoo/models/helper.py", ".helper import make"),
    "a package above": ("zoo/models", "zoo/helper.py", "..helper import make"),
}


@pytest.mark.parametrize(
    "place", ["a package above", *(pytest.param(place, marks=pytest.mark.slow) for place in list(PLACES)[:3])]
)
@pytest.mark.parametrize("packages", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_plug_in_outside_the_checkout_runs_and_counts_in_full(own, tmp_path, monkeypatch, place, packages):
    """packages: its folders have an __init__.py."""
    folder, helper, importing = PLACES[place]
    code = tmp_path / "code"
    (code / folder).mkdir(parents=True)
    (code / folder / "network.py").write_text(NETWORK.format(importing=importing))
    (code / helper).write_text(HELPER.format(bias=True))
    for part in [folder, folder.partition("/")[0]] * packages:
        (code / part / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(code))
    own.configure(set_in("models", "net", value={"kind": f"{folder.replace('/', '.')}.network"}))
    target = "results/remarks/s.txt"
    own.snakemake(target)
    assert not own.pending(target)
    (code / helper).write_text(HELPER.format(bias=False))
    assert own.pending(target) == {"check_study": 1}


def test_what_a_plug_in_loads_by_a_name_that_nobody_sees_fails_its_job(own, tmp_path, monkeypatch):
    (tmp_path / "code/zoo").mkdir(parents=True)
    (tmp_path / "code/zoo/__init__.py").touch()
    (tmp_path / "code/zoo/hidden.py").write_text(HELPER.format(bias=True))
    late = 'importlib import import_module\n\nmake = import_module("zoo." + "hidden").make'
    (tmp_path / "code/zoo/network.py").write_text(NETWORK.format(importing=late))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "code"))
    own.configure(set_in("models", "net", value={"kind": "zoo.network"}))
    text = own.snakemake("results/remarks/s.txt", check=False)
    assert f"ran {tmp_path}/code/zoo/hidden.py, which its rule's `code` does not list" in text


def test_what_cannot_be_imported_is_told_before_any_job(own):
    (own.path / "plugins/network.py").write_text(NETWORK.format(importing="nowhere.atall import make"))
    own.configure(set_in("models", "net", value={"kind": "plugins.network"}))
    text = own.snakemake("-n", check=False)
    assert (
        "plugins/network.py, line 3: imports nowhere.atall, which is neither on the Python path nor beside it" in text
    )


@pytest.mark.parametrize("name", ["workflow", "lmia", "plugins"])
def test_a_package_of_the_same_name_elsewhere_takes_no_place(own, tmp_path, monkeypatch, name):
    (tmp_path / "other" / name).mkdir(parents=True)
    (tmp_path / "other" / name / "__init__.py").write_text("raise ImportError('the wrong one')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "other"))
    if name == "plugins":  # ours is a folder that Python takes for a package only where there is no other
        text = own.snakemake("-n", check=False)
        assert f"{tmp_path}/other/plugins stands in front of {own.path}/plugins; add an __init__.py there" in text
        (own.path / "plugins/__init__.py").touch()
    own.snakemake(TABLE)
