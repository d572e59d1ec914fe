"""The table of edits in docs/how-to/cache.md names the rules that read each section, as the law's walk has it."""

import re

from tests.law.readers import READERS
from workflow.harness.fingerprint import ROOT

PAGE = ROOT / "docs/how-to/cache.md"
ROW = re.compile(r"^\| `(\w+):`[^|]*\| ([^|]*)\|", re.M)
# Rules that read a section only for what they show of it, or only of some kinds, and which the page leaves out.
LEFT_OUT = {
    "models": {
        "craft_queries",
        "relabel",
        "query_relabelled",
        "query_labels",
        "search_boundary",
        "search_directions",
        "query_confidences",
        "query_white_box",
        "query_references",
        "find_outliers",
        "import_target",
        "train_shadow",
    },
    "trainers": {
        "craft_queries",
        "query_relabelled",
        "query_labels",
        "search_boundary",
        "search_directions",
        "query_confidences",
        "query_white_box",
    },
    "targets": {
        "craft_queries",
        "query_relabelled",
        "query_labels",
        "search_boundary",
        "search_directions",
        "query_confidences",
        "query_white_box",
        "query_references",
    },
    "defenses": {"plot_metrics"},
    "epsilon": {"plot_metrics"},
    "queries": {
        "fit_stopping",
        "plot_gallery",
        "plot_metrics",
        "plot_scores",
        "compare_exhibit",
        "score_attack",
        "score_given",
        "score_in_question",
        "score_pool",
        "measure_attack",
        "measure_pool",
        "bound_epsilon",
        "write_audit",
        "compare_in_question",
        "decide_in_question",
    },
    "attacks": {
        "measure_attack",
        "measure_pool",
        "bound_epsilon",
        "compare_pool",
        "compare_exhibit",
        "plot_metrics",
        "plot_scores",
        "write_audit",
        "compare_in_question",
        "decide_in_question",
    },
}


def test_the_table_of_edits_names_the_first_readers_of_every_section():
    rows = {section: set(re.findall(r"`(\w+)`", told)) for section, told in ROW.findall(PAGE.read_text())}
    rows.pop("budget", None)
    assert rows == {name: rules - LEFT_OUT.get(name, set()) for name, rules in READERS.items() if name != "outliers"}
