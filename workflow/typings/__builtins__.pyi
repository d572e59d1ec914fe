from typing import Any

snakemake: Any  # what Snakemake hands its scripts
