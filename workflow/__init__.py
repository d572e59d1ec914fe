"""The configuration, the rules and scripts, and what stands around their jobs: what Snakemake runs."""
