"""The audit as one page that opens offline and prints, and as a paragraph for a model card."""

import html
import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib

from lmia.audit.verdict import CANNOT_TELL, LEAKS
from lmia.evaluation.flags import allowed_false_alarms, few_false_alarms
from lmia.figures import style

ANSWERS = {
    LEAKS: "Yes. Predicted labels alone tell who was in its training set.",
    CANNOT_TELL: "These records cannot tell.",
}
NOTHING = "No leak was found from predicted labels."
LIMIT = "Other attacks may find more. Only private training gives a guarantee."
WITHOUT_REFERENCES = (
    "Attackers who train models of their own: compared with such models, single records stand out more."
)
WITH_REFERENCES = "Attackers who train more models like it, or compare with these on altered records as well."
NOT_TESTED = (
    "Attackers who see confidences, gradients or weights, or several versions of the model.",
    "Whether records can be reconstructed, or unknown attributes of known records guessed.",
    "Records that are not among those judged here.",
)
LOOK = """
body { font: 1rem/1.5 system-ui, sans-serif; color: #1a1a1a; max-width: 44rem; margin: 2.5rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin-bottom: .5rem; }
h2 { font-size: 1.05rem; margin: 1.8rem 0 .3rem; }
.answer { font-size: 1.25rem; font-weight: 600; border-left: .3rem solid #0072b2; padding: .2rem .8rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td { white-space: nowrap; }
svg { width: 100%; max-width: 30rem; height: auto; }
.note { color: #555; font-size: .92rem; }
@media print {
  html { font-size: 12.5px; } body { margin: 0; max-width: none; padding: 0; line-height: 1.4; }
  h1 { margin-top: 0; } h2 { margin-top: 1.1rem; } p, ul { margin: .3rem 0; } @page { margin: 14mm; }
}
"""


def sentences(report: Mapping[str, Any]) -> dict[str, list[str]]:
    """Heading -> what the audit says under it, in plain words. report: as `lmia.audit.findings.report` gives it."""
    n, attacks = report["records_of_each_kind"], report["attacks"]
    strongest = next(attack for attack in attacks if attack["attack"] == report["strongest"])
    together = f"{_count(len(attacks), 'attack')} together" if len(attacks) > 1 else "this attack"
    return {
        "answer": [ANSWERS.get(report["verdict"], NOTHING)],
        "What was found": [_finding(report, strongest)],
        "How sure this is": [
            f"{n:,} records that it was trained on and {n:,} that it was not were judged, {_thresholds(report)}.",
            *([] if _wrong(report) else [f"The interval holds in 95 % of audits, for {together}."]),
            *_model(report["model"]),
            *([] if report["verdict"] == LEAKS else [LIMIT]),
        ],
        "Who is exposed": [*_exposed(report), *_in_question(report)],
        "What was not tested": [WITH_REFERENCES if report["references"] else WITHOUT_REFERENCES, *NOT_TESTED],
    }


def to_html(report: Mapping[str, Any]) -> str:
    """The page. It loads nothing from elsewhere."""
    end = []
    if report["groups"]:
        end += ["<h2>Exposed records in training, by group</h2>", _groups(report["groups"])]
    if report["alternatives"]:
        end += ["<h2>What another training costs, and what it hides</h2>", _alternatives(report["alternatives"])]
    end += ["<h2>All attacks</h2>", _table(report)]
    note = "Half of all calls are right by chance. Brackets are 95 % intervals of single numbers."
    return lay_out(report, sentences(report), _chart(report["attacks"]), end, note)


def lay_out(
    report: Mapping[str, Any], told: Mapping[str, Sequence[str]], chart: str, end: Sequence[str], note: str
) -> str:
    """A page. told: as `sentences` has it; chart: below what was found; end: before the note."""
    title = f"Does the model “{report['model']['name']}” leak who was in its training set?"
    parts = [f"<h1>{html.escape(title)}</h1>", f'<p class="answer">{html.escape(" ".join(told["answer"]))}</p>']
    if report["flags"]:
        parts += ["<h2>Before you believe a number</h2>", _list(report["flags"])]
    for heading in [heading for heading in told if heading != "answer"]:
        lines = told[heading]
        text = _list(lines) if heading == "What was not tested" else f"<p>{html.escape(' '.join(lines))}</p>"
        parts += [f"<h2>{html.escape(heading)}</h2>", text]
        if heading == "What was found":
            parts.append(chart)
    parts += [*end, f'<p class="note">{note}</p>']
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{LOOK}</style>'
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def to_card(report: Mapping[str, Any]) -> str:
    """A paragraph for a model card, in Markdown."""
    return as_card(report, sentences(report))


def as_card(report: Mapping[str, Any], told: Mapping[str, Sequence[str]]) -> str:
    """The like of sentences, as `sentences` has them."""
    lines = ["## Membership inference", ""]
    for heading in ("answer", "What was found", "How sure this is", "Who is exposed"):
        lines += told.get(heading, [])
    if report["flags"]:
        lines.append(f"Flags: {'; '.join(report['flags'])}.")
    return "\n".join([*lines, "", "Not tested:", "", *(f"- {line}" for line in told["What was not tested"])]) + "\n"


def _finding(report: Mapping[str, Any], strongest: Mapping[str, Any]) -> str:
    asked = _count(round(strongest["queries"]), "predicted label")
    accuracy, low, high = strongest["accuracy_of_all"]
    if report["verdict"] == LEAKS:
        return (
            f"From {asked} per record, an attacker who knows its true class tells records in training from others in "
            f"{_percent(accuracy)} of cases [{_number(low)}, {_number(high)}], where 50 % is chance."
        )
    if wrong := _wrong(report):
        return (
            f"{wrong[0]} is right in fewer cases than by chance. So members and others differ by themselves, or are "
            "exchanged: no bound holds, and what another attack finds may be that difference."
        )
    these = f"None of these {n} attacks is" if (n := len(report["attacks"])) > 1 else "This attack is not"
    bound = (
        f"{these} right in more than {_percent(report['bound'])} of cases on records like these (95 %), where 50 % is "
        "chance."
    )
    if report["verdict"] == CANNOT_TELL:
        return (
            f"{bound} That leaves open whether there is a leak. With {report['records_needed']:,} known records of "
            "each kind, intervals would reach 2 points to each side."
        )
    return bound


def _wrong(report: Mapping[str, Any]) -> list[str]:
    """Attacks that are right in fewer cases than by chance, by intervals that hold for all together."""
    return [attack["attack"] for attack in report["attacks"] if attack["accuracy_of_all"][2] < 0.5]


def _thresholds(report: Mapping[str, Any]) -> str:
    if not report["shadows"]:
        return "each half by thresholds from the other half"
    return f"all by thresholds from {report['shadows']} models that were trained like it, on halves of them"


def _model(model: Mapping[str, Any]) -> list[str]:
    train, test = (model.get(f"{part}_accuracy") for part in ("train", "test"))
    if not train or not test:
        return []
    return [
        f"The model labels {_percent(train[0])} of the records in training rightly and {_percent(test[0])} of the "
        "others; if you know other numbers, it was asked wrongly, and nothing here is true."
    ]


def _exposed(report: Mapping[str, Any]) -> list[str]:
    exposed, n, surest = report["exposed"], report["records_of_each_kind"], report["surest"]
    if not any(exposed.values()):
        return ["Of no record can an attacker be sure that it is more likely in training than not."]
    share, low, _ = surest["probability"]
    doubt = (
        ["All odds here may be the difference between members and others, and not the model's."]
        if _wrong(report)
        else []
    )
    return [
        *doubt,
        f"Where half of all records are in training, an attacker is surest of {_count(surest['records'], 'record')}: "
        f"of records that score like them, at least {_percent(low)} are in training (95 %). Of those known it is "
        f"{_percent(share)}, which looks high, as it is that of the best of several groups.",
        f"The odds are above even, with 95 % confidence, for {exposed['members']:,} of the {n:,} records in training, "
        f"and for {exposed['others']:,} of the {n:,} others, which look the same.",
        *_declared(report),
        "records.csv has the probability of each record.",
    ]


def _in_question(report: Mapping[str, Any]) -> list[str]:
    """What is said of records of which nobody knows whether they were in training, beside what is said of the known."""
    if not (asked := report["in_question"]):
        return []
    n, exposed = report["records_of_each_kind"], report["exposed"]
    shares = [_percent(exposed[kind] / n) for kind in ("members", "others")]
    return [
        f"Of {_count(asked['records'], 'record')} in question, of which nobody knows, the odds are above even for "
        f"{asked['exposed']:,}, as they are for {shares[0]} of the records in training and {shares[1]} of the others.",
    ]


def _declared(report: Mapping[str, Any]) -> list[str]:
    """What follows from what the user believes, which nothing here has measured."""
    if not report["prior"]:
        return []
    _, low, _ = report["at_prior"]
    return [
        f"You state that {_percent(report['prior'])} of records like these are in training, which nothing here tests; "
        f"of those that score like the surest, at least {_percent(low)} would be then."
    ]


def _table(report: Mapping[str, Any]) -> str:
    told = [name for attack in report["attacks"] for name in attack if name.startswith("tpr_at_") and attack[name]]
    rates = list(dict.fromkeys(told))  # those for which there are records enough
    heads = ["attack", "labels per record", "right %", "AUC"]
    heads += [_rate(name, report["records_of_each_kind"]) for name in rates]
    rows = [heads]
    for attack in [*report["attacks"], *report["for_comparison"]]:
        name = attack["attack"] + (f" ({attack['access']})" if "access" in attack else "")
        numbers = [_cell(attack.get("accuracy"), 100), _cell(attack.get("auc"), 1)]
        rows.append([name, f"{attack['queries']:.0f}", *numbers, *(_cell(attack.get(rate), 100) for rate in rates)])
    return table_of(rows)


def _rate(name: str, n_others: int) -> str:
    """The head of a column of true-positive rates, with the number of records that it rests on where these are few."""
    rate = float(name.split("_")[2])
    few = f" ({allowed_false_alarms(rate, n_others)} records)" if few_false_alarms(rate, n_others) else ""
    return f"% found at {100 * rate:g} % false alarms{few}"


def table_of(rows: Sequence[Sequence[str]]) -> str:
    """A table of cells, the first row its heads."""
    return f"<table>{''.join(_row(row, 'td' if number else 'th') for number, row in enumerate(rows))}</table>"


def _groups(groups: Sequence[Mapping[str, Any]]) -> str:
    rows = [["group", "in training", "exposed", "%"]]
    for group in groups:
        named = [f"{group['column']}: {group['value']}", f"{group['records']:,}", f"{group['exposed']:,}"]
        rows.append([*named, _cell(group["share"], 100)])
    return table_of(rows)


def _alternatives(models: Sequence[Mapping[str, Any]]) -> str:
    rows = [["model", "right on others %", "strongest attack", "its right calls %", "exposed in training"]]
    for model in models:
        share = f"{model['exposed']:,} of {model['records']:,}"
        right, called = (_cell(model[name], 100) for name in ("test_accuracy", "accuracy_of_all"))
        rows.append([model["model"], right, model["strongest"], called, share])
    return table_of(rows)


def _row(cells: Sequence[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _cell(interval: Sequence[float] | None, scale: int) -> str:
    if interval is None:
        return "too few records"
    shown = [f"{scale * number:.{1 if scale > 1 else 2}f}" for number in interval]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]"


@style.look()
def _chart(attacks: Sequence[Mapping[str, Any]]) -> str:
    """Balanced accuracies with the intervals that hold together, as SVG."""
    figure, ax = style.axes({"title": ""}, height=0.7 + 0.28 * len(attacks))
    for place, attack in enumerate(reversed(attacks)):
        value, low, high = (100 * number for number in attack["accuracy_of_all"])
        colour = style.colour(attack["attack"])
        ax.plot([low, high], [place, place], color=colour, linewidth=2)
        ax.plot(value, place, "o", color=colour)
    ax.set_yticks(range(len(attacks)), [style.label(attack["attack"]) for attack in reversed(attacks)])
    ax.axvline(50, color="#999999", linestyle=":", linewidth=1)
    ax.set_xlabel("right calls (%), 50 is chance")
    ax.set_ylim(-0.6, len(attacks) - 0.4)
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "audit", "svg.fonttype": "none"}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    style.plt.close(figure)
    return text.getvalue()[text.getvalue().index("<svg") :]


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{html.escape(line)}</li>' for line in lines)}</ul>"


def _count(n: int, what: str) -> str:
    return f"one {what}" if n == 1 else f"{n:,} {what}s"


def _percent(share: float) -> str:
    return f"{_number(share)} %"


def _number(share: float) -> str:
    return f"{100 * share:.1f}"
