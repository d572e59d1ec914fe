# In: tables, scores and splits. Out: results/exhibits/, the tables and figures of the paper by name: `snakemake table_1`.
from workflow.config.exhibit_inputs import claim_files, exhibit_claims, exhibit_numbers

for exhibit, entry in CONFIG.exhibits.items():

    rule:
        name:
            exhibit
        input:
            PATHS.exhibit_remarks(exhibit),
            f"results/exhibits/{exhibit}/comparison.csv",
            f"results/exhibits/{exhibit}/claims.csv",
            expand("results/figures/{figure}.png", figure=entry.figures),


rule compare_exhibit:
    """The numbers and claims of one table or figure of the paper beside ours."""
    input:
        tables=PATHS.exhibit_tables,
        scores=claim_files(CONFIG, "scores"),
        splits=claim_files(CONFIG, "splits"),
        measures=claim_files(CONFIG, "measures"),
        model_measures=claim_files(CONFIG, "model_measures"),
    output:
        comparison=exhibit_output("comparison"),
        claims=exhibit_output("claims"),
        margins="results/exhibits/{exhibit}/margins.csv",
        page="results/exhibits/{exhibit}/{exhibit}.md",
    log:
        "results/logs/exhibits/{exhibit}.log",
    benchmark:
        "results/benchmarks/exhibits/{exhibit}.tsv"
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        artifact="{exhibit}",
        title=lambda wc: CONFIG.exhibits[wc.exhibit].title,
        numbers=lambda wc: exhibit_numbers(CONFIG, wc.exhibit),
        claims=lambda wc: exhibit_claims(CONFIG, wc.exhibit),
        resamples=CONFIG.metrics.resamples,
        code=code("compare_exhibit"),
    message:
        "Compare {wildcards.exhibit} with the paper"
    script:
        "../scripts/compare_exhibit.py"
