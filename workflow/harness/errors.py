"""Whose fault an error is: what plug-ins and data files raise is told as one line, by the entry that names them."""

import contextlib
from collections.abc import Iterator

from workflow.harness.job import BadInput, message_of


@contextlib.contextmanager
def bad_input(key: str, blamed: type[Exception] = Exception) -> Iterator[None]:
    """Blame what the body raises on the entry `key` of the configuration: the body handles only what users give.

    blamed: the errors that are, where it handles more than that.
    """
    try:
        yield
    except blamed as error:
        raise BadInput(f"{key}: {message_of(error)}") from error
