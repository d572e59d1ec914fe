"""Every configuration that a page shows is sound over `config.yaml`, but for files that only its reader has."""

import re
from pathlib import Path

import pytest

from workflow.config.load import ConfigError, check, read_layers
from workflow.harness.fingerprint import ROOT

PAGES = [ROOT / "README.md", ROOT / "config/README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = [
    pytest.param(page, block, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"^ *```yaml\n(.*?)^ *```", page.read_text(), re.M | re.S))
]
OVER = re.compile(r"^# laid over (\S+)$", re.M)
OF_A_READER = re.compile(r"[Nn]o such (file|module|folder)|missing; (add it: (an entry|members|blocks)|say of which)")
ELSEWHERE = re.compile(r": ([\w-]+): not defined under ")


def test_the_pages_have_examples():
    assert len(BLOCKS) > 20


@pytest.mark.parametrize("page, block", BLOCKS)
def test_what_a_page_shows_is_sound(page, block, tmp_path):
    """A part of an entry is none by itself, and entries that a block names may stand in another of its folder."""
    example = tmp_path / "example.yaml"
    example.write_text(re.sub(r"[0-9a-f]{4}\.\.\.[0-9a-f]*", "a" * 64, block))  # a hash that is cut for readers
    over = [ROOT / name for name in OVER.findall(block)]
    try:
        check(read_layers([*over, example])[0])
    except ConfigError as error:
        others = "".join(near.read_text() for near in page.parent.glob("*.md")).replace(block, "")
        left = [
            line
            for line in str(error).splitlines()
            if not OF_A_READER.search(line)
            and not ((name := ELSEWHERE.search(line)) and re.search(rf"^ *{name[1]}:", others, re.M))
        ]
        assert not left, "\n".join(left)


def test_the_example_of_the_readme_needs_nothing_of_a_readers_own(tmp_path):
    [block] = [block for page, block in (example.values for example in BLOCKS) if Path(page).name == "README.md"][:1]
    (tmp_path / "mine.yaml").write_text(block)
    assert "l2-1" in check(read_layers([tmp_path / "mine.yaml"])[0]).studies["mine"].defenses
