# In: results/data/, results/splits/, models that exist already. Out: results/models/, results/remarks/.
# Faults of data and models come out here first. It is a target of its own, and no input of training, or an edit of a
# check would train all models again; training refuses by itself what cannot be trained (workflow/harness/unusable_models.py).
rule check_study:
    """Remarks on the data and the model of a study, and an error where either cannot be used."""
    input:
        dataset=PATHS.dataset,
        split=PATHS.first_split,
    output:
        "results/remarks/{study}.txt",
    log:
        "results/logs/remarks/{study}.log",
    benchmark:
        "results/benchmarks/remarks/{study}.tsv"
    priority: 1
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(15),
    params:
        model=PARAMS.trained_model,
        files=PARAMS.trained_model_files,
        code=lambda wc: code("check_study", *PARAMS.trained_model_modules(wc)),
    message:
        "Check the data and the model of {wildcards.study}"
    script:
        "../scripts/check_study.py"


rule train_model:
    """The target or a shadow model of each seed of a block, trained on the members of its role."""
    input:
        dataset=PATHS.dataset,
        split="results/splits/{study}/{cell}/{seeds}/{role}.npz",
        source=PATHS.source_model,
    output:
        "results/models/{study}/{cell}/{seeds}/{role}.npz",
    log:
        "results/logs/models/{study}/{cell}/{seeds}/{role}.log",
    benchmark:
        "results/benchmarks/models/{study}/{cell}/{seeds}/{role}.tsv"
    wildcard_constraints:
        study=studies_of("disjoint", "halves", "pool"),
        role=r"target|shadow\d+|surrogate\d+",
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        **GPU_PARTITION,
        mem_mb=growing(4000),
        runtime=growing(240),
        gpu=1,
    params:
        seeds="{seeds}",
        role="{role}",
        model=PARAMS.model,
        training=PARAMS.training,
        defense=PARAMS.defense,
        files=lambda wc: PARAMS.files(PARAMS.model_entry(wc), PARAMS.defense_entry(wc)),
        code=code_for("train_model", PARAMS.model_entry, PARAMS.defense_entry),
    message:
        "Train the {wildcards.role} model of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/train_model.py"


rule train_relabelled:
    """A model for each target of a pool, trained on labels of that target; others differ from it in their seeds alone."""
    input:
        dataset=PATHS.dataset,
        split="results/splits/{study}/{cell}/{seeds}/relabelled.npz",
        source=PATHS.source_model,
    output:
        "results/models/{study}/{cell}/{seeds}/{role}.npz",
    log:
        "results/logs/models/{study}/{cell}/{seeds}/{role}.log",
    benchmark:
        "results/benchmarks/models/{study}/{cell}/{seeds}/{role}.tsv"
    wildcard_constraints:
        study=studies_of("pool"),
        role=r"relabelled\d+",
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        **GPU_PARTITION,
        mem_mb=growing(4000),
        runtime=growing(240),
        gpu=1,
    params:
        seeds="{seeds}",
        role="{role}",
        model=PARAMS.model,
        training=PARAMS.training,
        defense=PARAMS.defense,
        files=lambda wc: PARAMS.files(PARAMS.model_entry(wc), PARAMS.defense_entry(wc)),
        code=code_for("train_model", PARAMS.model_entry, PARAMS.defense_entry),
    message:
        "Train {wildcards.role} on labels of the targets of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/train_model.py"


rule train_shadow:
    """A shadow of a given model, trained as that was, on a random half of the records that it is judged by."""
    input:
        dataset=PATHS.dataset,
        split="results/splits/{study}/{cell}/{seeds}/{role}.npz",
    output:
        "results/models/{study}/{cell}/{seeds}/{role}.npz",
    log:
        "results/logs/models/{study}/{cell}/{seeds}/{role}.log",
    benchmark:
        "results/benchmarks/models/{study}/{cell}/{seeds}/{role}.tsv"
    wildcard_constraints:
        study=studies_of("given"),
        role=r"shadow\d+",
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        **GPU_PARTITION,
        mem_mb=growing(4000),
        runtime=growing(240),
        gpu=1,
    params:
        seeds="{seeds}",
        role="{role}",
        model=PARAMS.model,
        place=PARAMS.shadow_place,
        trainer=PARAMS.trainer,
        files=lambda wc: PARAMS.files(
            PARAMS.model_entry(wc), *PARAMS.trainer_entries(wc)
        ),
        code=code_for("train_shadow", PARAMS.model_entry, PARAMS.trainer_entries),
    message:
        "Train the {wildcards.role} of the model of {wildcards.study}, {wildcards.cell}"
    script:
        "../scripts/train_shadow.py"


rule import_target:
    """A model that exists already, once it has shown that it knows its task, and its members."""
    input:
        dataset=PATHS.dataset,
        split=PATHS.imported_split,
    output:
        "results/models/{study}/{cell}/{seeds}/target.npz",
    log:
        "results/logs/models/{study}/{cell}/{seeds}/target.log",
    benchmark:
        "results/benchmarks/models/{study}/{cell}/{seeds}/target.tsv"
    wildcard_constraints:
        study=studies_of("given"),
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        **GPU_PARTITION,
        mem_mb=growing(4000),
        runtime=growing(60),
        gpu=1,
    params:
        seeds="{seeds}",
        model=PARAMS.model,
        target=PARAMS.target,
        place=lambda wc: PARAMS.target_entry(wc).place,
        trainer=PARAMS.own_trainer,
        files=lambda wc: PARAMS.files(
            PARAMS.model_entry(wc),
            PARAMS.target_entry(wc),
            *PARAMS.own_trainer_entries(wc),
        ),
        code=code_for(
            "import_target",
            PARAMS.model_entry,
            PARAMS.target_entry,
            PARAMS.own_trainer_entries,
        ),
    message:
        "Take over the model of {wildcards.study}, {wildcards.cell}"
    script:
        "../scripts/import_target.py"
