"""The page of the example in a real browser: it opens offline without an error, and is one page in print."""

import re
import shutil
import subprocess

import pytest

from tests.workflow.conftest import ROOT, make_checkout

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="needs Chromium: apt-get install chromium"),
]


def browse(*arguments):
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


@pytest.fixture(scope="module")
def audits(tmp_path_factory):
    checkout = make_checkout(tmp_path_factory.mktemp("page") / "it")
    shutil.copytree(ROOT / "config", checkout.path / "config")
    checkout.snakemake("audit", "--configfile", "config/audit-example.yaml")
    return checkout.path / "results/audits"


@pytest.fixture(params=["audit", "audit-table"])
def page(audits, request):
    return audits / request.param / "report.html"


def test_a_browser_shows_the_page_without_an_error(page):
    shown = browse("--enable-logging=stderr", "--v=0", "--dump-dom", f"file://{page}")
    assert "Yes. Predicted labels alone tell who was in its training set." in shown.stdout
    assert "CONSOLE" not in shown.stderr and shown.stdout.count("<svg") == 1


def test_the_page_is_one_page_in_print(page, tmp_path):
    browse(f"--print-to-pdf={tmp_path / 'it.pdf'}", "--no-pdf-header-footer", f"file://{page}")
    assert re.findall(rb"/Count (\d+)", (tmp_path / "it.pdf").read_bytes()) == [b"1"]
