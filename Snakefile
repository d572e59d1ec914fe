# Label-only membership inference: dataset -> split -> train -> query -> score -> measure -> plot.
# `snakemake --cores 2` runs the study of config.yaml; docs/design.md says why the stages are cut where they are.
import sys

sys.path.insert(0, workflow.basedir)


configfile: "config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/queries.smk"
include: "workflow/rules/attacks.smk"
include: "workflow/rules/figures.smk"


rule all:
    default_target: True
    input:
        "results/metrics.csv",
        expand(
            "results/figures/{figure}.{format}",
            figure=CONFIG.figures,
            format=["png", "pdf"],
        ),
