"""The hashes of code: they follow what a file means wherever it lies, and what is loaded beside them is found."""

import importlib
import sys
from types import SimpleNamespace

import pytest

from workflow.harness import fingerprint
from workflow.harness.fingerprint import closure, hashes

CACHED = (fingerprint.locate, fingerprint._own, fingerprint._is_ours)
SCRIPT = "from pkg.part import twice\n\nprint(twice(2))\n"
PART = "def twice(number):\n    return 2 * number\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A function that writes files of a package and gives the hashes of the script beside it and of named modules."""
    monkeypatch.syspath_prepend(tmp_path / "code")

    def write(files, *modules):
        for name, content in files.items():
            file = tmp_path / "code" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content) if isinstance(content, bytes) else file.write_text(content)
        return listed(*modules)

    def listed(*modules):
        for cached in CACHED:
            cached.cache_clear()
        importlib.invalidate_caches()
        return hashes(fingerprint.fingerprint(tmp_path / "code/script.py", *modules))

    yield write
    for cached in CACHED:
        cached.cache_clear()


BASE = {"script.py": SCRIPT, "pkg/__init__.py": "", "pkg/part.py": PART}


@pytest.mark.parametrize(
    "changes",
    [
        {"script.py": "# what follows\n" + SCRIPT},
        {"pkg/part.py": PART.replace("    return", '    """Twice."""\n    return')},
        {"pkg/part.py": PART.replace("\n", "\r\n")},
        {"pkg/__init__.py": '"""A package."""\n'},
        {"pkg/moved.py": PART, "pkg/part.py": None, "script.py": SCRIPT.replace("pkg.part", "pkg.moved")},
        {"pkg/sub/__init__.py": "", "pkg/sub/part.py": PART, "script.py": SCRIPT.replace("pkg.part", "pkg.sub.part")},
        {"pkg/unused.py": "x = 1\n"},
    ],
)
def test_what_changes_no_meaning_changes_no_hash(place, tmp_path, changes):
    before = place(BASE)
    for name in [name for name, content in changes.items() if content is None]:
        (tmp_path / "code" / name).unlink()
    assert len(before) == 2 and place({name: content for name, content in changes.items() if content}) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"script.py": SCRIPT.replace("2", "3")},
        {"pkg/part.py": PART.replace("2", "3")},
        {"pkg/__init__.py": "import math\n"},
        {"pkg/other.py": PART.replace("2", "3"), "script.py": SCRIPT.replace("pkg.part", "pkg.other")},
        {"script.py": SCRIPT.replace("import twice", "import thrice as twice")},
    ],
)
def test_what_changes_a_meaning_changes_a_hash(place, changes):
    assert place(BASE) != place(changes)


def test_two_modules_that_change_places_are_noticed(place):
    """All files are the same, and who imports what is not."""
    both = BASE | {
        "pkg/other.py": PART.replace("2", "3"),
        "script.py": SCRIPT + "from pkg.other import twice as more\n",
    }
    swapped = SCRIPT.replace("pkg.part", "pkg.other") + "from pkg.part import twice as more\n"
    assert place(both) != place({"script.py": swapped})


@pytest.mark.parametrize(
    "importing, helper",
    [
        ("from .helper import x", "helper.py"),
        ("from . import helper", "helper.py"),
        ("from ..helper import x", "../helper.py"),
        ("from ..near.helper import x", "../near/helper.py"),
        ("import deep.helper", "../helper.py"),
        ("def late():\n    from .helper import x", "helper.py"),
        ("import sys\nsys.path.insert(0, __path__)\nimport aside", "aside.py"),
        ("import aside.more.helper", "aside/more/helper.py"),
    ],
)
@pytest.mark.parametrize("packages", [True, False])
def test_all_that_a_plug_in_imports_counts(place, importing, helper, packages):
    """packages: its folders have an __init__.py; Python imports from those without, too."""
    files = {"script.py": "", "deep/down/mine.py": importing + "\n", f"deep/down/{helper}": "x = 1\n"}
    if packages:
        files |= {"deep/__init__.py": "", "deep/down/__init__.py": "", "deep/near/__init__.py": ""}
    before = place(files, "deep.down.mine")
    assert place({f"deep/down/{helper}": "x = 2\n"}, "deep.down.mine") != before


@pytest.mark.parametrize("suffix", [".pyc", *fingerprint.EXTENSION_SUFFIXES])
def test_a_module_without_a_source_is_known_by_its_bytes(place, suffix):
    files = {"script.py": "", "deep/mine.py": "from . import compiled\n", "deep/__init__.py": ""}
    before = place(files | {f"deep/compiled{suffix}": b"one"}, "deep.mine")
    assert place({f"deep/compiled{suffix}": b"two"}, "deep.mine") != before


def test_this_folder_and_what_only_it_imports_are_in_no_hash():
    found = closure(fingerprint.ROOT / "workflow/scripts/train_model.py", "lmia.models.mlp")
    around = closure(fingerprint.ROOT / "workflow/scripts/train_model.py", "lmia.models.mlp", around=True)
    assert not [file for file in found if file.is_relative_to(fingerprint.HARNESS)]
    assert fingerprint.ROOT / "lmia/model_checks.py" in around.keys() - found.keys()


def test_modules_that_no_hash_covers_are_found_in_plug_ins_too(monkeypatch, tmp_path):
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    monkeypatch.setattr(fingerprint, "ROOT", root)
    monkeypatch.setattr(sys, "prefix", str(root / "env"))
    for module in [name for name in sys.modules if name.partition(".")[0] in ("lmia", "workflow", "tests")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "fake", SimpleNamespace(__file__=str(root / "nowhere.py")))
    here = [
        root / name
        for name in ("lmia/a.py", "plugins/b.py", ".venv/d.py", "env/lib/e.py", "f.so", "lib/site-packages/g.py")
    ]
    there = [elsewhere / name for name in ("mine/plug.py", "mine/seen.py", "unseen.py")]
    for number, file in enumerate([*here, *there]):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("import mine.seen\n" if file.name == "plug.py" else "")
        monkeypatch.setitem(sys.modules, f"fake_{number}", SimpleNamespace(__file__=str(file)))
    monkeypatch.syspath_prepend(elsewhere)
    for cached in CACHED:
        cached.cache_clear()
    found = fingerprint.unlisted(root / "plugins/b.py", "mine.plug")
    assert found == sorted(["lmia/a.py", "f.so", str(elsewhere / "unseen.py")])
