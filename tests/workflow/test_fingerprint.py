"""The hashes of code: what is loaded beside them is found."""

import sys
from types import SimpleNamespace

from workflow.harness import fingerprint


def test_modules_that_no_hash_covers_are_found_in_plug_ins_too(monkeypatch, tmp_path):
    monkeypatch.setattr(fingerprint, "ROOT", tmp_path.resolve())
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "env"))
    monkeypatch.setitem(sys.modules, "fake", SimpleNamespace(__file__=str(tmp_path / "nowhere.py")))
    for number, name in enumerate(("lmia/a.py", "plugins/b.py", "plugins/c.py", ".venv/d.py", "env/lib/e.py", "f.so")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
        monkeypatch.setitem(sys.modules, f"fake_{number}", SimpleNamespace(__file__=str(tmp_path / name)))
    assert fingerprint.unlisted(["plugins/b.py@1"]) == ["lmia/a.py", "plugins/c.py"]
