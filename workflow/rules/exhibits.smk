# In: tables, scores and splits. Out: results/exhibits/, the tables and figures of the paper by name: `snakemake table_1`.
from workflow.config.exhibit_inputs import exhibit_numbers, exhibit_claims


def exhibit_files(kind):
    """An input function: files of one kind of all sides that an exhibit's claims compare."""
    return lambda wc: sorted(
        {
            path
            for claim in exhibit_claims(CONFIG, wc.exhibit)
            for side in claim["sides"]
            for path in side[kind]
        }
    )


def exhibit_output(table):
    return report(
        f"results/exhibits/{{exhibit}}/{table}.csv",
        caption="../report/exhibit.rst",
        category="Beside the paper",
        subcategory="{exhibit}",
        labels={"exhibit": "{exhibit}", "table": table},
    )


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
        scores=exhibit_files("scores"),
        splits=exhibit_files("splits"),
        measures=exhibit_files("measures"),
        model_measures=exhibit_files("model_measures"),
    output:
        comparison=exhibit_output("comparison"),
        claims=exhibit_output("claims"),
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
