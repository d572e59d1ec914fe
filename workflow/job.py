"""What every script does around its work: a log of its own, one thread per core asked for, and honest code hashes."""

import contextlib
import sys
import traceback

from workflow.fingerprint import fingerprint, unlisted
from workflow.memory import keep_freed_memory


@contextlib.contextmanager
def job(snakemake, *modules):
    """Run the body of a script with its output in the rule's log file.

    modules: names of the modules that the script chose at run time. Raises RuntimeError where the code that ran is not
    the code that the rule's params name: then the cache would keep a result under a wrong name.
    """
    with open(snakemake.log[0], "w", buffering=1) as log:
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            try:
                if "torch" in sys.modules:
                    sys.modules["torch"].set_num_threads(snakemake.threads)
                    keep_freed_memory()
                yield
                _check_code(snakemake, modules)
            except BaseException:
                traceback.print_exc()
                raise


def _check_code(snakemake, modules):
    listed = list(snakemake.params.code)
    script = next(entry for entry in listed if entry.startswith("workflow/scripts/")).rpartition("@")[0]
    if sorted(listed) != fingerprint(script, *modules):
        raise RuntimeError(f"{script} or a module that it imports was edited while the workflow ran; run it again")
    if missing := unlisted(listed):
        raise RuntimeError(f"{script} ran {', '.join(missing)}, which its rule's `code` does not list; name it there")
