# In: tables, scores and splits. Out: results/figures/.


rule plot_metrics:
    """A figure that is drawn from the tables of its studies."""
    input:
        PATHS.figure_tables,
    output:
        png=figure_output(),
        pdf="results/figures/{figure}.pdf",
        caption="results/figures/{figure}.txt",
    log:
        "results/logs/figures/{figure}.log",
    benchmark:
        "results/benchmarks/figures/{figure}.tsv"
    wildcard_constraints:
        figure=figures_from("metrics"),
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        figure=PARAMS.figure,
        code=code_for("plot_metrics", PARAMS.figure_entry),
    message:
        "Plot {wildcards.figure}"
    script:
        "../scripts/plot_metrics.py"


rule plot_scores:
    """A figure that is drawn from scores and the target's membership."""
    input:
        scores=PATHS.figure_scores,
        splits=PATHS.figure_splits,
        measures=PATHS.figure_measures,
    output:
        png=figure_output(),
        pdf="results/figures/{figure}.pdf",
        caption="results/figures/{figure}.txt",
    log:
        "results/logs/figures/{figure}.log",
    benchmark:
        "results/benchmarks/figures/{figure}.tsv"
    wildcard_constraints:
        figure=figures_from("scores"),
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        figure=PARAMS.figure,
        code=code_for("plot_scores", PARAMS.figure_entry),
    message:
        "Plot {wildcards.figure}"
    script:
        "../scripts/plot_scores.py"


rule plot_gallery:
    """Images of perturbed queries."""
    input:
        dataset=PATHS.figure_dataset,
    output:
        png=figure_output(),
        pdf="results/figures/{figure}.pdf",
        caption="results/figures/{figure}.txt",
    log:
        "results/logs/figures/{figure}.log",
    benchmark:
        "results/benchmarks/figures/{figure}.tsv"
    wildcard_constraints:
        figure=figures_from("queries"),
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        figure=PARAMS.figure,
        queries=PARAMS.gallery_queries,
        files=lambda wc: PARAMS.files(*PARAMS.gallery_entries(wc)),
        code=lambda wc: code(
            "plot_gallery", *(query.module for query in PARAMS.gallery_entries(wc))
        ),
    message:
        "Plot {wildcards.figure}"
    script:
        "../scripts/plot_gallery.py"
