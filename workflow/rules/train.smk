# Faults of data and models come out here first. It is a target of its own, and no input of training, or an edit of a
# check would train all models again; training refuses by itself what cannot be trained (workflow/harness/soundness.py).
rule check_study:
    input:
        dataset=dataset_of,
        split=lambda wc: first_split(wc.study),
    output:
        "results/checks/{study}.txt",
    log:
        "results/logs/checks/{study}.log",
    benchmark:
        "results/benchmarks/checks/{study}.tsv"
    priority: 1
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(15),
    params:
        model=model_params,
        files=model_files,
        code=lambda wc: code("check_study", model_module(wc)),
    message:
        "Check the data and the model of {wildcards.study}"
    script:
        "../scripts/check_study.py"


rule train_model:
    input:
        dataset=dataset_of,
        split="results/splits/{study}/{cell}/{seeds}/{role}.npz",
        source=source_model,
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
        mem_mb=growing(4000),
        runtime=growing(240),
        gpu=1,
    params:
        seeds="{seeds}",
        role="{role}",
        model=model_params,
        training=lambda wc: spec(CONFIG.studies[wc.study].training),
        defense=lambda wc: spec(defense(wc)),
        files=lambda wc: model_files(wc, defense(wc)),
        code=lambda wc: code(
            "train_model", model_module(wc), module_of("defenses", defense(wc))
        ),
    message:
        "Train the {wildcards.role} model of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/train_model.py"
