"""The reference page of the configuration."""

from workflow.harness.fingerprint import ROOT
from workflow.tools import config_reference


def test_the_committed_page_is_what_the_program_writes():
    """Write it with `python -m workflow.tools.config_reference > docs/reference/configuration.md`."""
    assert (ROOT / "docs/reference/configuration.md").read_text() == config_reference.page()


def test_every_key_has_a_meaning_or_an_obvious_type():
    rows = [line.split(" | ") for line in config_reference.page().splitlines() if line.startswith("| `")]
    assert len(rows) > 150
    assert not [row for row in rows if not row[1].strip() or not row[-1].strip(" |")]
