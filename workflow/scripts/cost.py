"""Show what audits of given models ask and cost at most."""

from pathlib import Path

if __name__ == "__main__":
    report = "\n".join(snakemake.params.bill)
    Path(snakemake.log[0]).write_text(report + "\n")
    print(report, flush=True)
