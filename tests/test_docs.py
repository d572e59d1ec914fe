"""The documentation: every link leads somewhere, and sentences are short, one to a line."""

import re
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import pytest
import yaml

from lmia.evaluation.metrics_table import COLUMNS
from tests.prose import measure
from workflow.config.schema.attacks import AnyRule
from workflow.config.schema.queries import AnyQuery

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
NOTES = DOCS / "results/notes"
OTHERS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "config/README.md")]
PAGES = sorted([*DOCS.rglob("*.md"), *OTHERS])
LINKING = sorted([*PAGES, ROOT / "CHANGELOG.md", ROOT / "benchmarks/README.md"])
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)[^)]*\)")
OUTSIDE = re.compile(r"[a-z]+:")  # an address with a scheme


def without_code(text):
    """The text without fenced code and inline code, in which brackets are no links."""
    text = re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "x", text)


def anchors(text):
    """What links may name in a page: its headings in lower case, with hyphens for blanks, a repeated one numbered."""
    found = []
    for heading in re.findall(r"^#+ +(.+)$", re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S), re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
        name = re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", plain))
        found.append(f"{name}_{found.count(name)}" if name in found else name)
    return found


def relative_links(page):
    return [link for link in LINK.findall(without_code(page.read_text())) if not OUTSIDE.match(link)]


@pytest.mark.parametrize("page", LINKING, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page):
    folder, broken = page.parent, []
    if folder == NOTES:  # they become parts of the pages of results
        folder = NOTES.parent
    for link in relative_links(page):
        path, _, anchor = link.partition("#")
        target = (folder / path).resolve() if path else page
        if not target.exists() or not target.is_relative_to(ROOT):
            broken.append(f"{link}: no such file")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text()):
            broken.append(f"{link}: no such heading")
    assert not broken, f"{page.relative_to(ROOT)}: {'; '.join(broken)}"


@pytest.mark.parametrize("page", LINKING, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_and_module_that_is_named_is_there(page):
    text = page.read_text()
    folders = "lmia|workflow|tests|benchmarks|config|docs|profiles|container"
    missing = [name for name in re.findall(rf"`((?:{folders})/[\w./*-]*)`", text) if not list(ROOT.glob(name))]
    modules = [name.replace(".", "/") for name in re.findall(r"python -m (workflow[\w.]*\w)", text)]
    missing += [name for name in modules if not (ROOT / f"{name}.py").exists() and not (ROOT / name).is_dir()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_sentences_are_short_and_one_to_a_line(page):
    _, faults = measure(page.read_text())
    assert not faults, "\n".join(f"{page.relative_to(ROOT)}:{number}: {fault}" for number, fault in faults)


def test_the_site_shows_links_out_of_its_folder_as_text():
    page = SimpleNamespace(file=SimpleNamespace(src_uri="how-to/paper.md"))
    found = runpy.run_path(str(DOCS / "hooks.py"))["on_page_markdown"](
        "[a](../../config/x.yaml) [b](../index.md)", page
    )
    assert found == "**a** [b](../index.md)"


def test_the_table_of_contents_has_every_page():
    text = re.sub(r"!!python/name:\S+", "", (ROOT / "mkdocs.yml").read_text())
    listed = sorted(re.findall(r"[\w/-]+\.md$", str(yaml.safe_load(text)["nav"]).replace("'", "\n"), re.M))
    assert listed == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md") if page.parent != NOTES)


def test_the_page_of_attacks_has_every_rule_and_every_query_set_that_comes_with_lmia():
    page = (DOCS / "reference/attacks.md").read_text()
    entries = [entry for union in (AnyRule, AnyQuery) for entry in get_args(get_args(union)[0])]
    kinds = [kind for entry in entries for kind in entry.kinds() if kind != "custom"]
    assert len(kinds) > 25 and not [kind for kind in kinds if f"`{kind}`" not in page]


def test_the_numbers_in_the_readme_are_those_of_the_default_study():
    rows = re.findall(r"^(?:study|digits-\w+),.*$", (ROOT / "README.md").read_text(), re.M)
    [kept] = DOCS.rglob("default-study.csv")
    assert len(rows) == 8 and set(rows) <= set(kept.read_text().splitlines())
    assert rows[0] == ",".join(COLUMNS)


@pytest.mark.parametrize(
    "text, faults",
    [
        ("One sentence.\nAnother one.\n", []),
        ("One sentence. Another one.\n", ["2 sentences in one line"]),
        ("One sentence\nover two lines.\n", ["a sentence that goes on in the next line"]),
        (f"{'word ' * 36}.\n", ["a sentence of 36 words"]),
        (f"| {'word ' * 40} |\n\n# {'word ' * 40}\n\n```\n{'word ' * 40}\n```\n", []),
        ("- an item without a stop\n- See e.g. Figure 2 of Nasr et al. 2018.\n", []),
        ("`a.b(c). Not` counts [as one. Two](link.md).\n", ["2 sentences in one line"]),
        ("**Lead.** One sentence.\n", []),
    ],
)
def test_prose_is_measured_by_these_rules(text, faults):
    assert [fault for _, fault in measure(text)[1]] == faults
