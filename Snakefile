# Label-only membership inference: dataset -> split -> train -> query -> score -> measure -> plot.
# `snakemake --cores 2` runs the study of config.yaml.
# docs/explanation/design.md says why the stages are cut where they are.
import glob
import os
import runpy
import sys

from snakemake.exceptions import WorkflowError

# Run from its source, before anything of this folder is imported: none of it may come from bytecode of an older edit.
runpy.run_path(f"{workflow.basedir}/workflow/harness/bytecode.py")["check_by_hash"](
    file
    for folder in ("lmia", "workflow")
    for file in glob.glob(
        f"{glob.escape(workflow.basedir)}/{folder}/**/*.py", recursive=True
    )
)
# `workflow` is Snakemake's object here and in rules, and never this package: import names from its modules only.
# In front of all other folders, here and in jobs: another package may be called workflow, lmia or plugins too.
sys.path.insert(0, workflow.basedir)
# profiles/cluster-generic finds its scripts by it.
os.environ.update(LMIA_HOME=workflow.basedir)

from workflow.harness.unfit_folders import put_in_front_for_jobs, unfit

put_in_front_for_jobs(workflow.basedir)
if problem := unfit(sys.executable, os.getcwd()):
    raise WorkflowError(problem)


include: "workflow/rules/configuration.smk"
include: "workflow/rules/harness.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/queries.smk"
include: "workflow/rules/attacks.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/exhibits.smk"
include: "workflow/rules/audits.smk"
include: "workflow/rules/costs.smk"
include: "workflow/rules/verify.smk"


rule all:
    """All studies, tables and figures of the configuration."""
    default_target: True
    input:
        expand("results/remarks/{study}.txt", study=CONFIG.studies),
        PATHS.whole_table(),
        PATHS.differences(),
        PATHS.audits("report.html"),
        expand(
            "results/figures/{figure}.{format}",
            figure=CONFIG.figures,
            format=["png", "pdf", "txt"],
        ),


refuse_more_gpus_than_there_are()
