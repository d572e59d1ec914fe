"""The examples of docs/reference/api.md."""

import contextlib
import io
import re
from pathlib import Path
from types import SimpleNamespace

PAGE = Path(__file__).parents[1] / "docs/reference/api.md"


def read_example(text):
    """What the one example of the page that has a text makes, what it prints, and what the page says that it prints."""
    examples = re.findall(r"```python\n(.*?)```.*?```\n(.*?)```", PAGE.read_text(), re.S)
    [(code, told)] = [example for example in examples if text in example[0]]
    names, printed = {}, io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "api.md", "exec"), names)
    return SimpleNamespace(**names), printed.getvalue(), told
