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


class Paid(NamedTuple):
    """answered: inputs with a label, second labels counted too; sent: inputs that ever were, to that address."""

    answered: int
    sent: int


def bill(config: Config) -> list[str]:
    """Lines: for each given model what its studies ask at most, what that costs, and what is paid for already.

    Nobody knows which answers that are paid for are of use to these studies: others may have asked for them. Ledgers
    are looked for in the working folder, and nothing is sent.
    """
    lines, notes = [], []
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
                notes += _notes(name, target, total, paid)
            else:
                lines.append(_row("  all together, at most", "", "", _count(total)))
    lines = lines[1:] or ["no study asks a given model"]
    return [*lines, *(["", *notes] if notes else [])]


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
    if target.price is not None and not isinf(total):
        price = money(target.price, target.currency)
        yield _row(f"  which cost at most, at {price} each", "", "", money(total * target.price, target.currency))
    if target.per_second is not None and not isinf(total):
        yield _row(f"  and take at least, at {target.per_second:g} a second", "", "", _time(total / target.per_second))
    yield _row("  answered already, for these or others", "", "", _count(paid.answered))
    yield _row("  left, if all of that is for these", "", "", _count(rest))
    if target.price is not None:
        if not isinf(rest):
            yield _row("  which cost at most", "", "", money(rest * target.price, target.currency))
        yield _row("  spent already, at most", "", "", money(paid.sent * target.price, target.currency))


def _time(seconds: float) -> str:
    if seconds < 3600:
        return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes} min"


def _notes(name: str, target: HttpTarget, total: float, paid: Paid) -> Iterator[str]:
    """The limits that may end a job, as more was sent than is kept; a file that plans more is refused."""
    rest = max(0, total - paid.answered)
    for option, limit in target.limits().items():
        if paid.sent + rest > limit:
            yield (
                f"targets.{name}.{option}: {getattr(target, option):.12g}: allows {limit:,} inputs; {paid.sent:,} were "
                f"sent, and {_count(rest)} more may be, if not all is done; a job that needs more than is allowed ends "
                "before it sends them"
            )


def main(path: str = DEFAULT) -> None:
    """Print what a configuration's audits cost; exit code 1 where they plan more than they may send."""
    try:
        lines = bill(load(path))
    except ConfigError as error:
        sys.exit(f"{path}: cannot be run:\n{error}")
    print("\n".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
