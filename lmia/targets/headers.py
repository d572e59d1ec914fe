"""Headers of requests: which can be sent, and which are secret; no message shows values from the environment."""

import os
import re
from collections.abc import Mapping

NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
SECRET_NAME = re.compile("auth|cookie|key|secret|token", re.I)
SECRET_VALUE = re.compile(r"(basic|bearer|token)\s+\S|(sk|pk|rk|ghp|hf|xox[a-z])[-_]\S{8}", re.I)  # how keys begin


def is_name(text: str) -> bool:
    """Whether a header can have this name."""
    return bool(NAME.fullmatch(text))


def is_value(text: str) -> bool:
    """Whether a header can have this value: printable ASCII, with no space at its ends."""
    return text.isascii() and text.isprintable() and text == text.strip()


def is_variable(value: str) -> bool:
    """Whether a value is read from the environment, as $NAME."""
    return value.startswith("$")


def is_secret(name: str, value: str) -> bool:
    """Whether a header looks like one whose value nobody is to read."""
    return bool(SECRET_NAME.search(name) or SECRET_VALUE.match(value))


def hidden(text: str, headers: Mapping[str, str], ready: Mapping[str, str]) -> str:
    """A text without values from the environment, as a server may repeat them. ready: as `filled` gives them."""
    for name, value in headers.items():
        if is_variable(value):
            text = text.replace(ready[name], value)
    return text


def filled(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers with the values of environment variables, without spaces and line ends around these.

    Raises ValueError, which shows no value of these, where a variable is not set or cannot be sent.
    """
    found = dict(headers)
    for name, value in headers.items():
        if is_variable(value):
            if value[1:] not in os.environ:
                raise ValueError(f"headers.{name}: {value}: no such environment variable; set it")
            found[name] = os.environ[value[1:]].strip()
            if not found[name] or not is_value(found[name]):
                raise ValueError(f"headers.{name}: {value}: expected one line of ASCII in that environment variable")
    return found
