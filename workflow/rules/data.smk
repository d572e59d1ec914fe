# In: the configuration's data sets. Out: results/data/, results/splits/.
rule prepare_dataset:
    """A data set as one artifact: inputs and classes, from originals that are fetched or given."""
    input:
        lambda wc: sound(PARAMS.known_original, wc),
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
        spec=PARAMS.dataset,
        root=PARAMS.unhashed_root,
        places=PARAMS.places,
        files=lambda wc: PARAMS.files(CONFIG.datasets[wc.dataset]),
        code=code_for("prepare_dataset", lambda wc: CONFIG.datasets[wc.dataset]),
    message:
        "Prepare data set {wildcards.dataset}"
    script:
        "../scripts/prepare_dataset.py"


rule draw_split:
    """Members and non-members of one role, for each seed of a block."""
    input:
        dataset=PATHS.dataset,
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
        n_train=PARAMS.n_train,
        n_nonmembers=PARAMS.n_nonmembers,
        scheme=lambda wc: CONFIG.studies[wc.study].splits,
        pool=PARAMS.pool,
        canaries=lambda wc: CONFIG.studies[wc.study].canaries or 0,
        canary_kind=lambda wc: CONFIG.studies[wc.study].canary_kind or "mislabelled",
        membership=PARAMS.membership,
        in_question=PARAMS.in_question,
        kinds=PARAMS.known_kinds,
        evaluated=PARAMS.evaluated_of_shadow,
        files=PARAMS.membership_files,
        code=code("draw_split"),
    message:
        "Draw the {wildcards.role} split of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/draw_split.py"
