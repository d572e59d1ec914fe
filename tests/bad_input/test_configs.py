"""Configurations that are no plain values, and plug-ins that are no modules: one line each, and nothing runs."""

import datetime
import importlib
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from snakemake.common.configfile import load_configfile

from tests.workflow.config.bad_cases import ROOT, changed
from workflow.config import yaml_reader
from workflow.config.__main__ import main
from workflow.config.load import ConfigError, base_files, check, load
from workflow.config.yaml_reader import read

BILLION = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
HIDDEN_BILLION = "a: &a {" + ", ".join(f"k{i}: 1" for i in range(30)) + "}\n"
HIDDEN_BILLION += "".join(
    f"{name}: &{name}\n  <<: [{', '.join([f'*{before}'] * 30)}]\n"
    for before, name in zip("abcde", "bcdef", strict=True)
)
CHAIN = "a: &a0 {k: 1}\n" + "".join(f"b{i}: &a{i + 1} {{<<: *a{i}, k{i}: 1}}\n" for i in range(2000))
YAML = {
    "an object": ("a: !!python/object/apply:os.system ['touch canary']", "line 1: no plain YAML .*python/object/apply"),
    "a new object": ("b: 1\na: !!python/object/new:pathlib.Path [x]", "line 2: no plain YAML"),
    "a function": ("a: !!python/name:os.system", "line 1: no plain YAML .*python/name:os.system"),
    "a module": ("a: !!python/module:os", "line 1: no plain YAML"),
    "a template": ("__use_yte__: true\na: ?open('canary', 'w')", "__use_yte__: a template, which is a program"),
    "aliases of aliases": (BILLION, "more than 100000 values, aliases counted as often as they are used"),
    "merges of merges": (HIDDEN_BILLION, "line 3: no plain YAML .<< takes one mapping, and no list"),
    "a long chain of merges": (CHAIN, "line 4..: no plain YAML .more than 100000 keys by <<"),
    "a key twice": ("studies: {a: 1}\nstudies: {b: 1}", "line 2: no plain YAML .the key studies is there twice"),
    "a key twice below": ("a:\n  b: 1\n  'b': 1", "line 3: no plain YAML .the key b is there twice"),
    "itself": ("a: &a [*a]", "a.0.*: nested deeper than 20 levels"),
    "deep nesting": ("a: " + "[" * 700, "no plain YAML .RecursionError"),
    "some nesting": ("a: " + "[" * 30 + "]" * 30, "a.0.*: nested deeper than 20 levels"),
    "endless digits": ("a: " + "1" * 5000, "no plain YAML"),
    "a number beyond 64 bits": (f"a: {2**70}", "a: a whole number beyond 64 bits"),
    "hexadecimal digits": ("a: 0x" + "f" * 5000, "a: a whole number beyond 64 bits"),
    "no day": (
        "a: !!timestamp 2026-13-45",
        "line 1: no plain YAML .*timestamp is a tag; write the value alone, a text in quotes",
    ),
    "a day": ("a: !!timestamp 2026-01-01", "line 1: .*timestamp is a tag"),
    "thousands by underscores": (
        "a: 1\nb: 1_000",
        "line 2: no plain YAML .1_000 is read in two ways; write a number as",
    ),
    "minutes and seconds": ("a: 1:5", "line 1: .*1:5 is read in two ways; .*, and put a text in quotes"),
    "a leading zero": ("a: 010", "line 1: .*010 is read in two ways"),
    "a leading zero before 9": ("a: 09", "line 1: .*09 is read in two ways"),
    "binary digits": ("a: 0b11", "line 1: .*0b11 is read in two ways"),
    "yes": ("a: [x, yes]", "line 1: .*yes is read in two ways; .* a truth as true or false"),
    "an octal with a tag": ("a: !!int 010", "line 1: .*int is a tag"),
    "a truth with a tag": ("a: !!bool yes", "line 1: .*bool is a tag"),
    "bytes": ("a: !!binary aGk=", "line 1: .*binary is a tag"),
    "a text with a tag": ("a: !!str 7", "line 1: .*str is a tag"),
    "a set": ("a: !!set {x}", "line 1: .*set is a tag"),
    "a number as key": ("a: {1: x}", "a: expected texts as keys, got a int; put it in quotes"),
    "a truth value as key": ("true: x", "top: expected texts as keys, got a bool"),
    "a truth value of YAML 1.1 as key": ("on: x", "line 1: .*on is read in two ways"),
    "a list as key": ("? [a]\n: b", "line 1: no plain YAML .*unhashable"),
    "a long text": ("a: " + "x" * 10_001, "a: a text of 10001 characters; 10000 are the most"),
    "a long key": ("? " + "x" * 10_001 + "\n: b", "top: expected texts as keys, got a long text"),
    "tabs": ("a:\n\tb: 1", "line 2: no plain YAML"),
    "an open bracket": ("a: [1, 2", "line 1: no plain YAML"),
    "control characters": ("a: \x07", "no plain YAML"),
    "no UTF-8": (b"a: \xff\xfe", "no plain YAML .UnicodeDecodeError"),
    "a list": ("- a\n- b", "expected keys with values at its top, found a list"),
    "a text": ("a", "expected keys with values at its top, found a str"),
    "two documents": ("a: 1\n---\nb: 2", "line 2: no plain YAML"),
    "an unknown alias": ("a: *b", "line 1: no plain YAML .*undefined alias"),
}


@pytest.mark.parametrize("case", YAML)
def test_files_that_are_no_plain_values(case, tmp_path, monkeypatch):
    content, message = YAML[case]
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    start = time.process_time()
    for reader in (read, lambda path: base_files({}), load):
        with pytest.raises(ConfigError, match=f"^config.yaml: {message}") as error:
            reader("config.yaml")
        assert len(str(error.value).splitlines()) == 1
    assert time.process_time() - start < 5 and not Path("canary").exists()


def test_many_keys_are_not_taken_for_merged_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(yaml_reader, "MAX_VALUES", 100)
    (tmp_path / "many.yaml").write_text("a: &a {x: 1}\nb: {<<: *a}\n" + "".join(f"k{i}: 1\n" for i in range(100)))
    with pytest.raises(ConfigError, match="many.yaml: more than 100 values, aliases counted .*; shorten it$"):
        read(tmp_path / "many.yaml")


def test_a_mapping_may_be_merged_into_another_that_changes_it(tmp_path):
    (tmp_path / "merged.yaml").write_text("a: &a {x: 1, y: 2}\nb: &b {<<: *a, x: 3}\nc: {z: 4, <<: *b}\n")
    assert read(tmp_path / "merged.yaml") == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 3, "y": 2},
        "c": {"x": 3, "y": 2, "z": 4},
    }


@pytest.mark.parametrize(
    "base, message",
    [
        (3, "3: expected the name"),
        (["a"], "expected the name"),
        ("", "no such"),
        ("x" * 5000, "x: no such file in"),
        ("a\0b", "no such file"),
    ],
)
def test_bases_that_are_no_files(base, message):
    with pytest.raises(ConfigError, match=f"base: .*{message}"):
        base_files({"base": base})


def test_an_empty_file_has_no_keys(tmp_path):
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert read(tmp_path / "empty.yaml") == {}


def test_what_snakemake_reads_for_a_tag_is_refused(tmp_path):
    """Its own loader makes functions, though it calls none."""
    (tmp_path / "mine.yaml").write_text("a: !!python/name:os.system\n")
    with pytest.raises(ConfigError, match="a: expected a text.* got a builtin_function_or_method"):
        check(load_configfile(str(tmp_path / "mine.yaml")))


VALUES = {
    "an octal seed": (
        ("studies", "digits-mlp", "seeds"),
        ["010"],
        "studies.digits-mlp.seeds.0: '010': .* match pattern",
    ),
    "a seed in no digits": (
        ("studies", "digits-mlp", "seeds"),
        ["1_0"],
        "studies.digits-mlp.seeds.0: .* valid integer",
    ),
    "an infinite rate": (("studies", "digits-mlp", "training"), {"learning_rate": float("inf")}, "learning_rate: inf"),
    "noise that is no number": (("queries", "gaussian", "sigmas"), [float("nan")], "queries.gaussian.sigmas.0: nan"),
    "infinite noise": (("queries", "gaussian", "sigmas"), [float("inf")], "sigmas.0: inf: .* finite number"),
    "infinite saving": (("save_every",), float("inf"), "save_every: inf: .* finite number"),
    "resamples without end": (
        ("metrics",),
        {"resamples": 2**63 - 1},
        "metrics.resamples: 92.*: .* or equal to 1000000",
    ),
    "shadows without end": (("studies", "digits-mlp", "shadows"), 10**8, "shadows: 100000000: .* or equal to 1000"),
    "samples without end": (("queries", "gaussian", "samples"), 10**6, "samples: 1000000: .* or equal to 100000"),
    "units without end": (("models", "mlp", "hidden"), [10**10], "models.mlp.hidden.0: 10000000000: .* 1000000000"),
    "seeds without end": (("studies", "digits-mlp", "seeds"), ["0-99999999999"], "a block of more than 10000 seeds"),
    "a seed of many digits": (("studies", "digits-mlp", "seeds"), ["9" * 30], "studies.digits-mlp.seeds.0: .* pattern"),
    "seeds in other digits": (("studies", "digits-mlp", "seeds"), ["\u0663"], "studies.digits-mlp.seeds.0: .* pattern"),
    "a name that is a path": (("queries", "../../x"), {"kind": "original"}, "queries.*: '../../x': .* match pattern"),
    "a name with a null": (("queries", "a\0"), {"kind": "original"}, "match pattern"),
    "a name that no file can have": (("queries", "x" * 300), {"kind": "original"}, "at most 100 characters"),
    "a date": (("datasets", "digits", "seed"), datetime.date(2026, 1, 1), "datasets.digits.seed: .* got a date"),
    "an array": (("datasets", "digits", "seed"), np.int64(3), "datasets.digits.seed: .* got a int64"),
    "a list for a section": (("queries",), [1], "queries: .1.: .* be a valid dictionary"),
    "nothing for a section": (("queries",), None, "queries: None: .* be a valid dictionary"),
    "a text for an entry": (("queries", "boundary"), "hopskipjump", "queries.boundary"),
    "a list for a kind": (("queries", "boundary", "kind"), ["hopskipjump"], "queries.boundary.kind: "),
    "a path with a null": (("datasets", "more"), {"kind": "npz", "path": "a\0"}, "datasets.more"),
    "a home with a null": (("datasets", "more"), {"kind": "npz", "path": "~\0"}, "datasets.more: .*embedded null"),
    "an archive's home with a null": (
        ("datasets", "more"),
        {"kind": "adult", "path": "~\0"},
        "datasets.more.path: .* no such file or folder",
    ),
    "arrays in a home of nobody": (("datasets", "more"), {"kind": "npz", "path": "~nobody-at-all/x"}, "No such file"),
    "a home of nobody": (("datasets", "more"), {"kind": "adult", "path": "~nobody-at-all/x"}, "datasets.more.path"),
    "a pipe for a file": (
        ("datasets", "more"),
        {"kind": "npz", "path": "/dev/zero"},
        "datasets.more: .*pipe or device",
    ),
    "relative modules": (("models", "mlp"), {"kind": "..lmia"}, "models.mlp.kind: ..lmia: no such module"),
    "an empty module": (("models", "mlp"), {"kind": "."}, "models.mlp.kind: .: no such module"),
    "a path for a module": (("models", "mlp"), {"kind": "/etc/x.py"}, "models.mlp.kind: /etc/x.py: no such module"),
    "a compiled module": (("models", "mlp"), {"kind": "numpy.random.mtrand"}, "an installed package"),
    "a module of Python": (
        ("datasets", "more"),
        {"kind": "json.decoder"},
        "json.decoder: an installed package, no plug-",
    ),
    "a model of others": (("models", "mlp"), {"kind": "torch.hub"}, "an installed package, no plug-in; docs"),
    "a reader of pickles": (
        ("datasets", "more"),
        {"kind": "numpy.lib._npyio_impl", "file": "evil.npy", "allow_pickle": True},
        "datasets.more.kind: numpy.lib._npyio_impl: an installed package, no plug-in",
    ),
    "another reader of pickles": (
        ("datasets", "more"),
        {"kind": "joblib.numpy_pickle", "filename": "evil.npy"},
        "datasets.more.kind: joblib.numpy_pickle: an installed package, no plug-in",
    ),
}


@pytest.mark.parametrize("case", VALUES)
def test_values_that_no_key_takes(case):
    path, value, message = VALUES[case]
    with pytest.raises(ConfigError, match=message) as error:
        check(changed(*path, value=value))
    assert max(map(len, str(error.value).splitlines())) < 600


PLUG_INS = {
    "no Python": (
        {"model.py": "def build(:"},
        r"models.mlp.kind: hostile.model: .*model.py, line 1: invalid syntax; mend",
    ),
    "no text": ({"model.py": "\0"}, "models.mlp.kind: hostile.model: .*null bytes"),
    "another encoding": ({"model.py": b"x = '\xff'\ndef build(shape, n_classes): pass"}, "hostile.model: .*model.py"),
    "too deep": ({"model.py": "x = " + "(" * 5000}, "models.mlp.kind: hostile.model: "),
    "a broken helper": (
        {"model.py": "from hostile import helper\n\n\ndef build(shape, n_classes): pass", "helper.py": "1 +"},
        "hostile.model: .*helper.py, line 1: invalid syntax; mend this file",
    ),
    "no build": ({"model.py": "def bild(shape, n_classes): pass"}, "hostile.model: the module defines no build"),
}


@pytest.fixture
def plug_in(tmp_path, monkeypatch):
    """A function that writes a package `hostile`, whose files say so if they are run, and makes a model of it."""

    def place(files):
        (tmp_path / "hostile").mkdir()
        for name, content in {"__init__.py": f"open({str(tmp_path / 'canary')!r}, 'w')\n", **files}.items():
            (tmp_path / "hostile" / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        monkeypatch.syspath_prepend(tmp_path)
        return changed("models", "mlp", value={"kind": "hostile.model"})

    from workflow.config.plugin_source_reader import _body, read_attribute, read_constant
    from workflow.harness import fingerprint

    found = (fingerprint.locate, fingerprint._own, _body, read_constant, read_attribute)
    for cached in found:
        cached.cache_clear()
    yield place
    assert not (tmp_path / "canary").exists() and "hostile" not in sys.modules
    for cached in found:
        cached.cache_clear()


@pytest.mark.parametrize("case", PLUG_INS)
def test_plug_ins_that_cannot_be_used(case, plug_in):
    files, message = PLUG_INS[case]
    config = plug_in(files)
    with pytest.raises(ConfigError, match=message):
        check(config)


def test_a_plug_in_of_the_working_folder_is_told_from_none(tmp_path, monkeypatch):
    (tmp_path / "nets_of_mine").mkdir()
    (tmp_path / "nets_of_mine/wide.py").write_text("def build(shape, n_classes): pass")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", ".")])
    for module, end in [("nets_of_mine.wide", "on PYTHONPATH, as by PYTHONPATH=.$"), ("nets_of_mine.b", "PYTHONPATH$")]:
        with pytest.raises(ConfigError, match=f"(?m)^models.mlp.kind: {module}: no such module; put its file .*{end}"):
            check(changed("models", "mlp", value={"kind": module}))


def test_plug_ins_are_checked_without_being_run(plug_in):
    check(plug_in({"model.py": "open('canary', 'w')\n\n\ndef build(shape, n_classes): pass"}))


@pytest.mark.parametrize(
    "optional",
    [
        "try:\n    import nonesuch\nexcept ImportError:\n    pass",
        "import contextlib\n\nwith contextlib.suppress(ImportError):\n    import nonesuch",
    ],
)
def test_plug_ins_may_do_without_what_they_import(plug_in, optional):
    check(plug_in({"model.py": f"{optional}\n\n\ndef build(shape, n_classes): pass"}))


def test_plug_ins_in_an_archive_are_refused_and_their_helpers_are_not(plug_in, tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "lib.zip", "w") as archive:
        for name in ("packed/", "packed/__init__.py", "packed/model.py"):
            archive.writestr(name, "")
    monkeypatch.syspath_prepend(tmp_path / "lib.zip")
    importlib.invalidate_caches()
    with pytest.raises(ConfigError, match="models.mlp.kind: packed.model: .*lib.zip has no source that could be read"):
        check(changed("models", "mlp", value={"kind": "packed.model"}))
    check(plug_in({"model.py": "import packed.model\n\n\ndef build(shape, n_classes): pass"}))


def test_packages_of_others_are_no_plug_ins_wherever_they_are_installed(plug_in, tmp_path, monkeypatch):
    installed = tmp_path / "python3/dist-packages"  # as Debian has it
    (installed / "found").mkdir(parents=True)
    (installed / "found/model.py").write_text("def build(shape, n_classes): pass")
    monkeypatch.syspath_prepend(installed)
    with pytest.raises(ConfigError, match="models.mlp.kind: found.model: an installed package, no plug-in"):
        check(changed("models", "mlp", value={"kind": "found.model"}))


def test_a_look_at_a_file_lists_the_code_that_it_would_run(plug_in, tmp_path, monkeypatch, capsys):
    plug_in({"model.py": "from hostile import helper\n\n\ndef build(shape, n_classes): pass", "helper.py": ""})
    (tmp_path / "mine.yaml").write_text("models: {mlp: {kind: hostile.model, hidden: null}}\n")
    monkeypatch.chdir(ROOT)
    main(str(tmp_path / "mine.yaml"))
    files = ", ".join(str(tmp_path / "hostile" / name) for name in ("__init__.py", "helper.py", "model.py"))
    assert capsys.readouterr().out == f"{tmp_path}/mine.yaml: sound\nmodels.mlp runs {files}\n"


def test_files_of_others_can_be_looked_at_without_running_them(tmp_path):
    """Snakemake itself evaluates what a file with this key says."""
    (tmp_path / "theirs.yaml").write_text(f"__use_yte__: true\nsave_every: ?open({str(tmp_path / 'canary')!r}, 'w')\n")
    command = [sys.executable, "-m", "workflow.config"]
    done = subprocess.run([*command, str(tmp_path / "theirs.yaml")], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "__use_yte__: a template" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "canary").exists()
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"metrics": {"resamples": 200}}))
    done = subprocess.run([*command, str(tmp_path / "mine.yaml")], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.endswith("mine.yaml: sound\n")
