def model_params(wildcards):
    """What a model is: read by training, and by all who build it again to query it."""
    return spec(CONFIG.models[CONFIG.studies[wildcards.study].model])


def model_module(wildcards):
    return module_of("models", CONFIG.models[CONFIG.studies[wildcards.study].model])


rule train_model:
    input:
        dataset=dataset_of,
        split=f"results/splits/{RUN}/{{role}}.npz",
    output:
        f"results/models/{RUN}/{{role}}.npz",
    log:
        f"results/logs/models/{RUN}/{{role}}.log",
    benchmark:
        f"results/benchmarks/models/{RUN}/{{role}}.tsv"
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
