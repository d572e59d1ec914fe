# The tables and figures of the paper by name: `snakemake table_1`.
for exhibit, entry in CONFIG.exhibits.items():

    rule:
        name:
            exhibit
        input:
            exhibit_checks(exhibit),
            f"results/exhibits/{exhibit}/comparison.csv",
            f"results/exhibits/{exhibit}/checks.csv",
            expand("results/figures/{figure}.png", figure=entry.figures),


rule compare_exhibit:
    input:
        tables=exhibit_tables,
        scores=exhibit_files("scores"),
        splits=exhibit_files("splits"),
        measures=exhibit_files("measures"),
        model_measures=exhibit_files("model_measures"),
    output:
        comparison=exhibit_output("comparison"),
        checks=exhibit_output("checks"),
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
        cells=lambda wc: exhibit_cells(CONFIG, wc.exhibit),
        claims=lambda wc: exhibit_claims(CONFIG, wc.exhibit),
        resamples=CONFIG.metrics.resamples,
        code=code("compare_exhibit"),
    message:
        "Compare {wildcards.exhibit} with the paper"
    script:
        "../scripts/compare_exhibit.py"
