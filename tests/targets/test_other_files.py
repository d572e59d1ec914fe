"""Files of other programs that are none, or whose program is missing, are told in one line."""

import importlib

import pytest

from lmia import plugins
from lmia.label_function import as_network
from tests.targets.other_files import (
    DIGITS,
    DRAW,
    KINDS,
    PIXELS,
    need,
    opened,
)


@pytest.mark.parametrize("kind", ["onnx", "xgboost", "lightgbm"])
@pytest.mark.parametrize(
    "content", [b"", b"tree\nversion=v4\n", b"{}", b"5", b"PK\x03\x04 no zip", bytes(1000), b"\xff" * 50]
)
def test_other_files_are_refused_with_one_line(kind, content, tmp_path):
    need(KINDS[kind])
    (tmp_path / "it").write_bytes(content)
    with pytest.raises(ValueError, match="^expected a model ") as error:
        opened(kind, tmp_path / "it", 2)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind, name", [("xgboost", "it.json"), ("xgboost", "it.ubj"), ("lightgbm", "it.txt")])
def test_a_part_of_a_file_is_refused(kind, name, tmp_path):
    need(kind)
    module, path = importlib.import_module(kind), tmp_path / name
    if kind == "xgboost":
        module.XGBClassifier(n_estimators=2, n_jobs=1).fit(PIXELS, DIGITS).save_model(path)
    else:
        model = module.LGBMClassifier(n_estimators=2, n_jobs=1, verbose=-1).fit(PIXELS, DIGITS)
        model.booster_.save_model(path)
    content = path.read_bytes()
    for length in DRAW.integers(0, len(content) * 9 // 10, 20):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="^expected a model "):
            opened(kind, path, 10)


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_that_is_missing_is_named(kind, tmp_path, monkeypatch):
    def missing(name, package=None):
        if name.partition(".")[0] == KINDS[kind]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=KINDS[kind])
        return real(name, package)

    real = importlib.import_module
    path = tmp_path / "it"
    path.write_bytes(b"tree")
    if kind == "sklearn":
        import zipfile

        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("schema.json", "{}")
    module = plugins.load("targets", kind)
    monkeypatch.setattr("lmia.targets.opened.importlib.import_module", missing)
    network = as_network(module.build((3,), 2), 2)
    told = "pip install -r requirements-audit.lock brings it .for conda and containers: docs/how-to/cluster.md.$"
    with pytest.raises(ValueError, match=f"^needs {KINDS[kind]}, .* {told}"):
        module.load(network, path)
