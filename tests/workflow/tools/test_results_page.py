"""The pages of results in docs/results/ are what their program makes of their notes, commands and tables."""

import re
from types import SimpleNamespace

import pandas as pd
import pytest

from workflow.tools import results_page
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


def test_pictures_stand_above_their_captions(tmp_path, monkeypatch):
    monkeypatch.setattr(results_page, "ROOT", tmp_path)
    (tmp_path / "results/figures").mkdir(parents=True)
    for name in ("one", "two"):
        (tmp_path / f"results/figures/{name}.png").write_bytes(b"")
        (tmp_path / f"results/figures/{name}.txt").write_text(f"First of {name}.\nSecond.\n")
    scores = SimpleNamespace(drawn_from="scores")  # that are not kept
    config = SimpleNamespace(figures={"one": scores, "two": scores, "not-run": scores})
    text = results_page.pictures(config, ["one", "two", "not-run"], pd.DataFrame())
    assert text == "".join(
        f"\n![{name}](../figures/paper/{name}.png)\n\nFirst of {name}.\nSecond.\n" for name in ("one", "two")
    )
    assert (tmp_path / "docs/figures/paper/two.png").exists() and results_page.pictures(
        config, [], pd.DataFrame()
    ) == ""
