rule prepare_dataset:
    input:
        known_original,
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
        mem_mb=growing(5000),  # texas is 1.7 GB, and is copied once
        runtime=growing(60),
    params:
        spec=dataset_spec,
        root=unhashed_root,
        files=lambda wc: files(CONFIG.datasets[wc.dataset]),
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
        mem_mb=growing(3000),  # it reads the whole data set, which its checksum covers
        runtime=growing(10),
    params:
        seeds="{seeds}",
        role="{role}",
        n_train=n_train,
        n_nonmembers=n_nonmembers,
        scheme=lambda wc: CONFIG.studies[wc.study].splits,
        code=code("draw_split"),
    message:
        "Draw the {wildcards.role} split of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/draw_split.py"
