"""The hashes of code: they follow what a file means wherever it lies, and what is loaded beside them is found."""

import importlib
import sys
import zipfile
from types import SimpleNamespace

import pytest

from workflow.harness import fingerprint
from workflow.harness.fingerprint import closure, hashes

CACHED = (fingerprint.locate, fingerprint._own)
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


READS = "def twice(number):\n    {}\n    return number * len({})\n"


@pytest.mark.parametrize("reading", ["twice.__doc__", "inspect.getdoc(twice)"])
def test_docstrings_mean_something_where_they_are_read(place, reading):
    first, second = (BASE | {"pkg/part.py": READS.format(text, reading)} for text in ('"""Two."""', '"""Three."""'))
    assert place(first) != place(second)


DEEP = {  # two modules of equal text, each of which imports another
    "script.py": "",
    "deep/__init__.py": "",
    "deep/net.py": "from . import b1 as first, b2 as second\n",
    "deep/b1.py": "from .c1 import twice\n",
    "deep/b2.py": "from .c2 import twice\n",
    "deep/c1.py": PART,
    "deep/c2.py": PART.replace("2", "3"),
}
RING = "from . import net\n"
EXCHANGED = {  # other files, and the files before
    "who imports what": ({"deep/net.py": "from . import b2 as first, b1 as second\n"}, DEEP),
    "what is imported": ({"deep/c1.py": DEEP["deep/c2.py"], "deep/c2.py": DEEP["deep/c1.py"]}, DEEP),
    "modules in a ring": (
        {"deep/c1.py": RING + "x = 2\n", "deep/c2.py": RING + "x = 1\n"},
        DEEP | {"deep/c1.py": RING + "x = 1\n", "deep/c2.py": RING + "x = 2\n"},
    ),
    "packages": (
        {"deep/__init__.py": "x = 1\n", "other/__init__.py": "x = 2\n"},
        DEEP
        | {"deep/__init__.py": "x = 2\n", "other/__init__.py": "x = 1\n", "other/c2.py": PART}
        | {"deep/net.py": "import deep.c1, other.c2\n"},
    ),
    "modules beside": (
        {"deep/c1.py": DEEP["deep/c2.py"], "deep/c2.py": DEEP["deep/c1.py"]},
        DEEP | {"deep/net.py": "import sys\nsys.path.append(__path__)\nimport c1\nimport c2\n"},
    ),
}


@pytest.mark.parametrize("case", EXCHANGED)
def test_modules_that_change_places_are_noticed(place, case):
    """All files are there as before, under whichever names."""
    changes, files = EXCHANGED[case]
    before = place(files, "deep.net")
    assert place(changes, "deep.net") != before and place(files, "deep.net") == before


def test_modules_that_a_job_asks_for_by_name_are_told_apart(place):
    """As a model and a defense, or the queries of a gallery: both files may be fit for either."""
    place(BASE | {"pkg/other.py": PART.replace("2", "3")})
    assert place({}, "pkg.part", "pkg.other") != place({}, "pkg.other", "pkg.part")


def test_packages_whose_modules_import_each_other_may_be_renamed(place):
    def named(name):
        files = {"__init__.py": f"from {name}.a import x\n", "a.py": "from .b import y\nx = 1\n"}
        files |= {"b.py": f"import math\nfrom {name} import a\nfrom . import a as again\ny = 2\n"}
        return {f"{name}/{file}": text for file, text in files.items()} | {"script.py": f"from {name}.a import x\n"}

    assert place(named("early")) == place(named("zoo"))


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


@pytest.mark.parametrize("helper", ["code/deep/aside.py", "far/aside.py"])
def test_what_lies_beside_a_link_or_beside_what_it_leads_to_counts(place, tmp_path, helper):
    (tmp_path / "far").mkdir()
    (tmp_path / "far/mine.py").write_text("import sys\nsys.path.insert(0, __path__)\nimport aside\n")
    place({"script.py": "", "deep/__init__.py": ""})
    (tmp_path / "code/deep/mine.py").symlink_to(tmp_path / "far/mine.py")
    (tmp_path / helper).write_text("x = 1\n")
    before = place({}, "deep.mine")
    (tmp_path / helper).write_text("x = 2\n")
    assert place({}, "deep.mine") != before


@pytest.mark.parametrize("suffix", [".pyc", *fingerprint.EXTENSION_SUFFIXES])
def test_a_module_without_a_source_is_known_by_its_bytes(place, suffix):
    files = {"script.py": "", "deep/mine.py": "from . import compiled\n", "deep/__init__.py": ""}
    before = place(files | {f"deep/compiled{suffix}": b"one"}, "deep.mine")
    assert place({f"deep/compiled{suffix}": b"two"}, "deep.mine") != before


def test_a_module_in_an_archive_is_known_by_the_bytes_of_that(place, tmp_path, monkeypatch):
    def archived(x):
        with zipfile.ZipFile(tmp_path / "code/lib.zip", "w") as archive:
            archive.writestr("packed.py", f"x = {x}\n")
        return place({"script.py": "from packed import x\n"})

    monkeypatch.syspath_prepend(tmp_path / "code/lib.zip")
    (tmp_path / "code").mkdir()
    assert archived(1) != archived(2)
    assert closure(tmp_path / "code/script.py").keys() == {tmp_path / "code/script.py", tmp_path / "code/lib.zip"}


def test_this_folder_and_what_only_it_imports_are_in_no_hash():
    found = closure(fingerprint.ROOT / "workflow/scripts/train_model.py", "lmia.models.mlp")
    around = closure(fingerprint.ROOT / "workflow/scripts/train_model.py", "lmia.models.mlp", around=True)
    assert not [file for file in found if file.is_relative_to(fingerprint.HARNESS)]
    assert fingerprint.ROOT / "lmia/models/usability.py" in around.keys() - found.keys()


LOADED = {  # what is loaded as what, and whether no hash covers it
    ("lmia.a", "root/lmia/a.py"): True,
    ("any", "root/plugins/b.so"): True,
    ("mine.plug", "elsewhere/mine/plug.py"): False,
    ("mine.seen", "elsewhere/mine/seen.py"): False,
    ("mine.unseen", "elsewhere/mine/unseen.py"): True,
    ("far", "far/far/__init__.py"): True,  # by a folder that was put on sys.path
    ("far.more", "far/far/more.cpython-311-x86_64-linux-gnu.so"): True,
    ("g", "root/lib/site-packages/g.py"): False,
    ("sitecustomize", "far/sitecustomize.py"): False,
    ("snakemake.script", "far/snakemake/script.py"): False,  # an editable one
    ("torch.made.c123", "cache/xy/c123.py"): False,  # made by a compiler
    ("c123.entry", "cache/xy/c123.main.so"): False,
    ("nowhere", "root/nowhere.py"): False,
}


@pytest.mark.parametrize("name, file", LOADED)
def test_modules_that_no_hash_covers_are_found_wherever_they_lie(monkeypatch, tmp_path, name, file):
    (tmp_path / "elsewhere/mine").mkdir(parents=True)
    (tmp_path / "elsewhere/mine/plug.py").write_text("import mine.seen\n")
    (tmp_path / "elsewhere/mine/seen.py").touch()
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    if name != "nowhere":
        (tmp_path / file).touch()
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    monkeypatch.setattr(fingerprint, "ROOT", tmp_path / "root")
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    for cached in CACHED:
        cached.cache_clear()
    before = fingerprint.unlisted(tmp_path / "elsewhere/mine/seen.py", "mine.plug")  # what other tests have loaded
    monkeypatch.setitem(sys.modules, name, SimpleNamespace(__file__=str(tmp_path / "link" / file)))
    found = set(fingerprint.unlisted(tmp_path / "elsewhere/mine/seen.py", "mine.plug")).difference(before)
    assert found == ({str(tmp_path / file).removeprefix(f"{tmp_path}/root/")} if LOADED[name, file] else set())


def test_a_module_of_an_archive_that_no_hash_covers_is_found(monkeypatch, tmp_path):
    with zipfile.ZipFile(tmp_path / "lib.zip", "w") as archive:
        archive.writestr("packed.py", "x = 1\n")
    monkeypatch.syspath_prepend(tmp_path / "lib.zip")
    importlib.import_module("packed")
    found = fingerprint.unlisted(fingerprint.ROOT / "workflow/scripts/verify.py")
    del sys.modules["packed"]
    assert str(tmp_path / "lib.zip") in found
