# Label-only membership inference: dataset -> split -> train -> query -> score -> measure -> plot.
# `snakemake --cores 2` runs the study of config.yaml; docs/design.md says why the stages are cut where they are.
import os
import sys

from snakemake.exceptions import WorkflowError

sys.path.insert(0, workflow.basedir)

from workflow.places import unfit

if problem := unfit(sys.executable, os.getcwd()):
    raise WorkflowError(problem)


include: "workflow/rules/common.smk"
include: "workflow/rules/common_runs.smk"
include: "workflow/rules/common_figures.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/queries.smk"
include: "workflow/rules/attacks.smk"
include: "workflow/rules/outliers.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/exhibits.smk"
include: "workflow/rules/common_integrity.smk"
include: "workflow/rules/integrity.smk"


rule all:
    default_target: True
    input:
        "results/metrics.csv",
        expand(
            "results/figures/{figure}.{format}",
            figure=CONFIG.figures,
            format=["png", "pdf"],
        ),


refuse_more_gpus_than_there_are()
