"""What audits of given models ask and cost at most, before any is run: `python -m workflow.config.costs FILE`."""

import sys
from collections.abc import Iterator
from math import isinf
from typing import NamedTuple

from lmia.data import csv
from lmia.targets.ledger import ASKED_AGAIN, Ledger, Sent, path_of, path_of_sent
from lmia.targets.prices import money
from workflow.config.audits import in_own_words
from workflow.config.load import DEFAULT, load
from workflow.config.schema.configuration import Config
from workflow.config.schema.datasets import Csv, Dataset
from workflow.config.schema.targets import HttpTarget
from workflow.config.yaml_reader import ConfigError

WIDTHS = (44, 10, 10, 16)  # of columns


class Bill(NamedTuple):
    """lines: to be read; problems: of these, why what is planned may not be sent, one for each limit."""

    lines: list[str]
    problems: list[str]


class Paid(NamedTuple):
    """answered: inputs with a label, second labels counted too; sent: inputs that ever were, to that address."""

    answered: int
    sent: int


def bill(config: Config) -> Bill:
    """For each given model what its studies ask at most, what is paid for already, and what the rest costs.

    Ledgers are looked for in the working folder, and nothing is sent.
    """
    lines, problems = [], []
    for name, target in config.targets.items():
        if studies := config.studies_of(name):
            lines += ["", f"targets.{name}, of kind {target.kind}", _row("", "records", "each", "labels")]
            total = 0.0
            for study, entry in studies.items():
                lines.append(in_own_words(f"  studies.{study}", config))
                for part in config.most_sent(entry):
                    lines.append(_row(f"    {part.what}", _count(part.records), _count(part.each), _count(part.inputs)))
                    total += part.inputs
            if isinstance(target, HttpTarget):
                lines.append(_row("  some again, after each pause of an hour", "", "", str(ASKED_AGAIN)))
                total += ASKED_AGAIN
                paid = _paid(config, name, target)
                lines += [_row("  all together, at most", "", "", _count(total)), *_rest(target, total, paid)]
                problems += _problems(name, target, total, paid)
            else:
                lines.append(_row("  all together, at most", "", "", _count(total)))
    lines = lines[1:] or ["no study asks a given model"]
    return Bill([*lines, *(["", *problems] if problems else [])], problems)


def _row(what: str, *cells: str) -> str:
    return f"{what:<{WIDTHS[0]}}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, WIDTHS[1:], strict=True))


def _count(n: float) -> str:
    return "unknown" if isinf(n) else f"{n:,.0f}"


def _paid(config: Config, name: str, target: HttpTarget) -> Paid:
    """What the ledgers of a model have, of which there is one for each way to name classes."""
    datasets = {study.dataset: config.datasets[study.dataset] for study in config.studies_of(name).values()}
    asked = (target.url, target.revision, target.send, target.receive, target.headers)
    paths = {path_of(*asked, classes=_classes(dataset)) for dataset in datasets.values()}
    ledgers = [Ledger(path) for path in paths if path.exists()]
    sent = path_of_sent(target.url)
    answered = sum(ledger.kept + ledger.kept_again for ledger in ledgers)
    return Paid(answered, Sent(sent).inputs if sent.exists() else 0)


def _classes(dataset: Dataset) -> list | None:
    """The classes of a table, None of what is none."""
    return csv.load(**dataset.options())[2].classes.tolist() if isinstance(dataset, Csv) else None


def _rest(target: HttpTarget, total: float, paid: Paid) -> Iterator[str]:
    rest = max(0, total - paid.answered)
    yield _row("  answered already", "", "", _count(paid.answered))
    yield _row("  left, where no query set was edited since", "", "", _count(rest))
    if isinf(rest):
        return
    if target.price is not None:
        price = money(target.price, target.currency)
        yield _row(f"  which cost at most, at {price} each", "", "", money(rest * target.price, target.currency))
        yield _row("  spent already, at most", "", "", money(paid.sent * target.price, target.currency))
    if target.per_second is not None:
        yield _row(f"  and take at least, at {target.per_second:g} a second", "", "", _time(rest / target.per_second))


def _time(seconds: float) -> str:
    if seconds < 3600:
        return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes} min"


def _problems(name: str, target: HttpTarget, total: float, paid: Paid) -> Iterator[str]:
    """The limits that what is left would exceed, as more was sent than is kept; the check of a file sees the rest."""
    rest = max(0, total - paid.answered)
    for option, limit in target.limits().items():
        if paid.sent + rest > limit:
            yield (
                f"targets.{name}.{option}: {getattr(target, option):.12g}: allows {limit:,} inputs; {paid.sent:,} were "
                f"sent, and {_count(rest)} more may be; raise it, or lower `evaluated`, or budgets and samples of "
                "query sets"
            )


def main(path: str = DEFAULT) -> None:
    """Print what a configuration's audits cost; exit code 1 where that is more than they may."""
    try:
        found = bill(load(path))
    except ConfigError as error:
        sys.exit(f"{path}: cannot be run:\n{error}")
    print("\n".join(found.lines))
    sys.exit(1 if found.problems else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
