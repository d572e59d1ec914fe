"""Show what audits of given models ask and cost at most."""

import sys
from pathlib import Path

if __name__ == "__main__":
    lines, problems = snakemake.params.bill
    report = "\n".join(lines)
    Path(snakemake.log[0]).write_text(report + "\n")
    print(report, flush=True)
    sys.exit(1 if problems else 0)
