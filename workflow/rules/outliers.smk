rule find_outliers:
    input:
        dataset=dataset_of,
        split="results/splits/{study}/{cell}/{seeds}/target.npz",
        model="results/models/{study}/{cell}/{seeds}/shadow0.npz",
    output:
        "results/outliers/{study}/{cell}/{seeds}.npz",
    log:
        "results/logs/outliers/{study}/{cell}/{seeds}.log",
    benchmark:
        "results/benchmarks/outliers/{study}/{cell}/{seeds}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
        gpu=1,
    params:
        seeds="{seeds}",
        model=model_params,
        evaluated=evaluated,
        outliers=lambda wc: spec(CONFIG.studies[wc.study].outliers),
        files=model_files,
        code=lambda wc: code("find_outliers", model_module(wc)),
    message:
        "Find outliers of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/find_outliers.py"
