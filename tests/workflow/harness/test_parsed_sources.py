"""What is known of a source from another process is what parsing it would tell."""

import json

import pytest

from workflow.harness import parsed_sources
from workflow.harness.fingerprint import ROOT

SOURCES = sorted(file for folder in ("lmia", "workflow") for file in (ROOT / folder).rglob("*.py"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder of which nothing is known."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".snakemake").mkdir()
    forget()
    yield tmp_path
    forget()


def forget():
    """Be another process."""
    parsed_sources._known.cache_clear()
    parsed_sources._parsed.cache_clear()


def told(node):
    return [alias.name for alias in node.names]


def facts(file):
    source = file.read_bytes()
    imports = [type(node).__name__ + str(told(node)) for node in parsed_sources.imports(source, file)]
    return imports, parsed_sources.version(source, file, told)


def never(*_):
    raise AssertionError("parsed again")


def test_another_process_knows_the_same_of_every_source_and_parses_none(folder, monkeypatch):
    expected = {file: facts(file) for file in SOURCES}
    parsed_sources.keep()
    forget()
    with monkeypatch.context() as patch:
        patch.setattr(parsed_sources, "_parsed", never)
        assert {file: facts(file) for file in SOURCES} == expected


def test_what_is_kept_has_what_others_will_ask_for(folder, monkeypatch):
    parsed_sources.keep(*SOURCES)
    forget()
    with monkeypatch.context() as patch:
        patch.setattr(parsed_sources, "_parsed", never)
        for file in SOURCES:
            parsed_sources.imports(file.read_bytes(), file)


def test_of_an_edited_source_nothing_is_known(folder):
    file = folder / "own.py"
    file.write_text("import a\nX = 1\n")
    before = facts(file)
    parsed_sources.keep()
    forget()
    file.write_text("import b\nX = 2\n")
    after = facts(file)
    assert before[0] != after[0] and before[1] != after[1]
    forget()
    parsed_sources.KEPT.unlink()
    assert facts(file) == after


def test_where_an_import_leads_elsewhere_another_version_is_known_of_the_same_source(folder):
    file = folder / "own.py"
    file.write_text("import a\n")
    versions = [leading_to(file, place) for place in ("one", "other")]
    assert len(set(versions)) == 2
    parsed_sources.keep()
    forget()
    assert [leading_to(file, place) for place in ("one", "other")] == versions


def leading_to(file, place):
    return parsed_sources.version(file.read_bytes(), file, lambda node: [place])


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"of": "another Python", "sources": {}}'])
def test_a_damaged_or_foreign_file_is_left_aside_and_replaced(folder, damage):
    expected = facts(SOURCES[0])
    forget()
    parsed_sources.KEPT.write_text(damage)
    assert facts(SOURCES[0]) == expected
    parsed_sources.keep()
    assert len(json.loads(parsed_sources.KEPT.read_text())["sources"]) == 1


def test_nothing_is_written_where_nothing_is_new_and_no_folder_is_made(folder):
    facts(SOURCES[0])
    parsed_sources.keep()
    parsed_sources.KEPT.unlink()
    facts(SOURCES[0])
    parsed_sources.keep()
    assert not parsed_sources.KEPT.exists()
    (folder / ".snakemake").rmdir()
    facts(SOURCES[1])
    parsed_sources.keep()
    assert list(folder.iterdir()) == []
