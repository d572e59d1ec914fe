rule train_model:
    input:
        dataset=dataset_of,
        split="results/splits/{study}/{cell}/{seeds}/{role}.npz",
    output:
        "results/models/{study}/{cell}/{seeds}/{role}.npz",
    log:
        "results/logs/models/{study}/{cell}/{seeds}/{role}.log",
    benchmark:
        "results/benchmarks/models/{study}/{cell}/{seeds}/{role}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=240,
        gpu=1,
    params:
        model=model_params,
        training=lambda wc: spec(CONFIG.studies[wc.study].training),
        defense=lambda wc: spec(defense(wc)),
        code=lambda wc: code(
            "train_model", model_module(wc), module_of("defenses", defense(wc))
        ),
    message:
        "Train the {wildcards.role} model of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/train_model.py"
