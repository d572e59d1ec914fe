rule prepare_dataset:
    output:
        "results/data/{dataset}.npz",
    log:
        "results/logs/data/{dataset}.log",
    benchmark:
        "results/benchmarks/data/{dataset}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        spec=lambda wc: spec(CONFIG.datasets[wc.dataset]),
        code=lambda wc: code(
            "prepare_dataset", module_of("data", CONFIG.datasets[wc.dataset])
        ),
    message:
        "Prepare data set {wildcards.dataset}"
    script:
        "../scripts/prepare_dataset.py"


rule draw_split:
    input:
        dataset=dataset_of,
    output:
        "results/splits/{study}/{cell}/{seeds}/{role}.npz",
    log:
        "results/logs/splits/{study}/{cell}/{seeds}/{role}.log",
    benchmark:
        "results/benchmarks/splits/{study}/{cell}/{seeds}/{role}.tsv"
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        n_train=n_train,
        code=code("draw_split"),
    message:
        "Draw the {wildcards.role} split of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/draw_split.py"
