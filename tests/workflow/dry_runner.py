"""Dry runs of Snakemake in any number of folders: `python dry_runner.py`, then one line of JSON for each.

A request is {"folder": ..., "arguments": [...], "environment": {...}, "printed": FILE}; the answer is the exit code, in
a line. Each is run by a process of its own, forked from this one, which has imported Snakemake and nothing of the
folder: half of the time of a plan is that import. Otherwise it is as `python -m snakemake` in the folder.
"""

import atexit
import json
import os
import sys

import snakemake.cli


def run(request):
    """Ends the process."""
    code = 1
    try:
        with open(request["printed"], "w") as file:
            os.dup2(file.fileno(), 1), os.dup2(file.fileno(), 2)
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        paths = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
        sys.path[:1] = [request["folder"], *paths]
        snakemake.cli.main(request["arguments"])
        code = 0
    except SystemExit as ended:
        code = ended.code or 0
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(code)


def main():
    for line in sys.stdin:
        if (child := os.fork()) == 0:
            run(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
