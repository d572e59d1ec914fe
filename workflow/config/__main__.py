"""A look at a configuration, somebody else's perhaps, that runs nothing of it: `python -m workflow.config FILE`.

It tells what the file names; a Snakefile that came with it is a program of its own.
"""

import sys

from workflow.config.load import DEFAULT, load, plug_ins
from workflow.config.yaml_reader import ConfigError


def main(path: str = DEFAULT) -> None:
    """What is wrong with a configuration, or which code beside lmia it runs."""
    try:
        config = load(path)
    except ConfigError as error:
        sys.exit(f"{path}: cannot be run:\n{error}")
    print(f"{path}: sound")
    for key, files in plug_ins(config).items():
        print(f"{key} runs {', '.join(map(str, files))}")


if __name__ == "__main__":
    main(*sys.argv[1:])
