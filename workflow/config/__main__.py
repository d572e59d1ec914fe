"""A look at a configuration, somebody else's perhaps, that runs nothing of it: `python -m workflow.config FILE`.

It tells what the file names; a Snakefile that came with it is a program of its own.
"""

import sys
from argparse import ArgumentParser

from workflow.config.audits import written_out
from workflow.config.load import DEFAULT, check, files_read, plug_ins, read_layers
from workflow.config.yaml_reader import ConfigError
from workflow.config.yaml_writer import as_yaml


def main(path: str = DEFAULT, expand: bool = False) -> None:
    """What is wrong with a configuration, or which code beside lmia it runs, and which files of a user's it reads.

    expand: print all that it comes to instead, with what it is laid over, and with studies in the place of audits.
    """
    try:
        raw, _ = read_layers([path])
        config = check(raw)
    except ConfigError as error:
        sys.exit(f"{path}: cannot be run:\n{error}")
    if expand:
        print(as_yaml(written_out(raw, config)), end="")
        return
    print(f"{path}: sound")
    for key, files in plug_ins(config).items():
        print(f"{key} runs {', '.join(map(str, files))}")
    for key, files in files_read(config).items():
        print(f"{key} reads {', '.join(files)}")


if __name__ == "__main__":
    parser = ArgumentParser("python -m workflow.config", description="Look at a configuration; run nothing of it.")
    parser.add_argument("path", nargs="?", default=DEFAULT, metavar="FILE")
    parser.add_argument("--expand", action="store_true", help="print all that it comes to: a file that runs the same")
    main(**vars(parser.parse_args()))
