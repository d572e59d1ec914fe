"""Which files of scikit-learn's models are data, and which are programs."""

import os
import zipfile
from typing import IO


def is_program(file: str | os.PathLike[str] | IO[bytes]) -> bool:
    """Whether a file is anything but one of skops', so that to open it is to run it."""
    try:
        with zipfile.ZipFile(file) as archive:
            return "schema.json" not in archive.namelist()
    except zipfile.BadZipFile:
        return True
