rule plot_metrics:
    input:
        figure_tables,
    output:
        png=figure_output(),
        pdf="results/figures/{figure}.pdf",
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
        figure=figure_spec,
        code=figure_code("plot_metrics"),
    message:
        "Plot {wildcards.figure}"
    script:
        "../scripts/plot_metrics.py"


rule plot_scores:
    input:
        scores=figure_scores,
        splits=figure_splits,
        measures=figure_measures,
    output:
        png=figure_output(),
        pdf="results/figures/{figure}.pdf",
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
        figure=figure_spec,
        code=figure_code("plot_scores"),
    message:
        "Plot {wildcards.figure}"
    script:
        "../scripts/plot_scores.py"


rule plot_gallery:
    input:
        dataset=lambda wc: f"results/data/{CONFIG.studies[CONFIG.figures[wc.figure].study].dataset}.npz",
    output:
        png=figure_output(),
        pdf="results/figures/{figure}.pdf",
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
        figure=figure_spec,
        queries=lambda wc: {
            name: perturbation_spec(query)
            for name, query in gallery_queries(wc).items()
        },
        files=lambda wc: files(*gallery_queries(wc).values()),
        code=lambda wc: code(
            "plot_gallery",
            *(
                module_of("perturbations", query)
                for query in gallery_queries(wc).values()
            ),
        ),
    message:
        "Plot {wildcards.figure}"
    script:
        "../scripts/plot_gallery.py"
