"""The pages of results in docs/results/ are what their program makes of their notes, commands and tables."""

import re

import pandas as pd
import pytest

from workflow.tools.results_page import PAGES, REMARKS, RUN, TITLES, notes, page, rebuild, summary


@pytest.mark.parametrize("name", TITLES)
def test_pages_have_the_form_that_the_program_gives_them(name):
    text = (PAGES / f"{name}.md").read_text()
    [machine] = re.findall(r"^Hardware: (.*)\.$", text, re.M)
    [exhibits] = re.findall(r"^snakemake --cores 2 (.*) --configfile", text, re.M)
    how = rebuild(exhibits.split(), [f"docs/results/configs/{name}.yaml"], name, machine)
    noted = notes(name)
    first = text[text.index(noted[""]) + len(noted[""]) : text.index(f"## {RUN}")]
    tables = text[text.index(how) + len(how) : text.index(f"## {REMARKS}")]
    assert page(name, noted, [first], how, [tables]) == text


@pytest.mark.parametrize("name", TITLES)
def test_counts_on_pages_are_those_of_the_tables_beside_them(name):
    files = {kind: PAGES / f"data/{name}-{kind}.csv" for kind in ("comparison", "claims")}
    tables = {kind: pd.read_csv(file) for kind, file in files.items() if file.exists()}
    assert summary(tables) in (PAGES / f"{name}.md").read_text()


def test_every_page_has_notes_that_begin_with_a_conclusion():
    assert {file.stem for file in (PAGES / "notes").glob("*.md")} == TITLES.keys()
    assert all(notes(name)[""] and not notes(name)[""].startswith(("#", "-")) for name in TITLES)
