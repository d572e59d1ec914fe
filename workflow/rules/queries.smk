# In: results/data/, results/splits/, results/models/.
# Out: results/crafted/, answers/, distances/, stopping/, confidences/, white_box/, references/, relabelled/, splits/.
rule craft_queries:
    """Queries for each example of a pool, made with gradients of other models than those that are asked.

    None depends on a model that it is asked of, nor on that model's partner.
    """
    input:
        dataset=PATHS.dataset,
        splits=PATHS.crafting("splits"),
        models=PATHS.crafting("models"),
    output:
        "results/crafted/{study}/{cell}/{query}.npz",
    log:
        "results/logs/crafted/{study}/{cell}/{query}.log",
    benchmark:
        "results/benchmarks/crafted/{study}/{cell}/{query}.tsv"
    wildcard_constraints:
        query=queries_crafted(),
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        **GPU_PARTITION,
        mem_mb=growing(4000),
        runtime=growing(720),
        gpu=1,
    params:
        model=PARAMS.model,
        crafted_from=lambda wc: CONFIG.queries[wc.query].crafted_from,
        evaluated=PARAMS.evaluated,
        pool=PARAMS.pool,
        query=lambda wc: PARAMS.perturbation(wc.query),
        files=PARAMS.model_files,
        code=code_for(
            "craft_queries", PARAMS.model_entry, lambda wc: CONFIG.queries[wc.query]
        ),
    message:
        "Craft queries for the pool {wildcards.study}, {wildcards.cell}: {wildcards.query}"
    script:
        "../scripts/craft_queries.py"


# The split says which points the pool audits: a target labels none of them here, and its members decide nothing.
rule relabel:
    """The labels that targets of a pool give to points beside those that it audits, for models trained on them."""
    input:
        dataset=PATHS.dataset,
        split="results/splits/{study}/{cell}/{seeds}/target.npz",
        model="results/models/{study}/{cell}/{seeds}/target.npz",
    output:
        "results/splits/{study}/{cell}/{seeds}/relabelled.npz",
    log:
        "results/logs/splits/{study}/{cell}/{seeds}/relabelled.log",
    benchmark:
        "results/benchmarks/splits/{study}/{cell}/{seeds}/relabelled.tsv"
    wildcard_constraints:
        study=studies_of("pool"),
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
        model=PARAMS.model,
        evaluated=None,  # no example is asked about
        pool=PARAMS.pool,
        points=PARAMS.relabelled_points,
        files=PARAMS.model_files,
        code=code_for("relabel", PARAMS.model_entry),
    message:
        "Label points by the targets of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/relabel.py"


rule query_relabelled:
    """The labels of targets, and the losses of models that were trained on other labels of them."""
    input:
        dataset=PATHS.dataset,
        split="results/splits/{study}/{cell}/{seeds}/{role}.npz",
        model=PATHS.asked_model,
        relabelled=PATHS.relabelled,
    output:
        "results/relabelled/{study}/{cell}/{seeds}/{role}/{query}.npz",
    log:
        "results/logs/relabelled/{study}/{cell}/{seeds}/{role}/{query}.log",
    benchmark:
        "results/benchmarks/relabelled/{study}/{cell}/{seeds}/{role}/{query}.tsv"
    wildcard_constraints:
        query=queries_yielding("relabelled"),
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
        evaluated=PARAMS.evaluated,
        pool=PARAMS.pool,
        files=PARAMS.model_files,
        code=code_for("query_relabelled", PARAMS.model_entry),
    message:
        "Ask the {wildcards.role} of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}: {wildcards.query}"
    script:
        "../scripts/query_relabelled.py"


rule query_labels:
    """The labels that models give to a query set that is known in advance."""
    input:
        dataset=PATHS.dataset,
        split="results/splits/{study}/{cell}/{seeds}/{role}.npz",
        model=PATHS.asked_model,
        crafted=PATHS.crafted,
    output:
        "results/answers/{study}/{cell}/{seeds}/{role}/{query}.npz",
    log:
        "results/logs/answers/{study}/{cell}/{seeds}/{role}/{query}.log",
    benchmark:
        "results/benchmarks/answers/{study}/{cell}/{seeds}/{role}/{query}.tsv"
    wildcard_constraints:
        query=queries_yielding("labels"),
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
        model=PARAMS.model,
        evaluated=PARAMS.evaluated_of_role,
        pool=PARAMS.pool,
        name="{query}",
        query=lambda wc: PARAMS.perturbation(wc.query),
        precision=PARAMS.precision,
        files=lambda wc: PARAMS.files(
            PARAMS.model_entry(wc), *PARAMS.perturbing_entries(wc)
        ),
        code=code_for("query_labels", PARAMS.model_entry, PARAMS.perturbing_entries),
    message:
        "Ask the {wildcards.role} of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}: {wildcards.query}"
    script:
        "../scripts/query_labels.py"


rule search_boundary:
    """The distance of each point to the decision boundary, by HopSkipJump from labels alone."""
    input:
        dataset=PATHS.dataset,
        split="results/splits/{study}/{cell}/{seeds}/{role}.npz",
        model=PATHS.asked_model,
        stopping=PATHS.stopping,
        references=PATHS.references("results/models/{models}/{role}.npz"),
        reference_splits=PATHS.references("results/splits/{models}/{role}.npz"),
    output:
        "results/distances/{study}/{cell}/{seeds}/{role}/{query}.npz",
    log:
        "results/logs/distances/{study}/{cell}/{seeds}/{role}/{query}.log",
    benchmark:
        "results/benchmarks/distances/{study}/{cell}/{seeds}/{role}/{query}.tsv"
    wildcard_constraints:
        query=queries_of("hopskipjump"),
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        **GPU_PARTITION,
        mem_mb=growing(4000),
        runtime=growing(720),
        gpu=1,
    params:
        seeds="{seeds}",
        model=PARAMS.model,
        evaluated=PARAMS.evaluated,
        pool=PARAMS.pool,
        name="{query}",
        query=PARAMS.search,
        files=PARAMS.model_files,
        code=lambda wc: code(
            "search_boundary",
            *PARAMS.model_entry(wc).modules,
            *(["lmia.boundary.stopping"] if PATHS.stopping(wc) else []),
            *(
                ["lmia.models.reference_models", "lmia.boundary.references"]
                if CONFIG.queries[wc.query].n_references()
                else []
            ),
        ),
    message:
        "Search the boundary of the {wildcards.role} of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}: {wildcards.query}"
    script:
        "../scripts/search_boundary.py"


rule search_directions:
    """The distance of each point to a wrong label along fixed directions, from labels alone."""
    input:
        dataset=PATHS.dataset,
        split="results/splits/{study}/{cell}/{seeds}/{role}.npz",
        model=PATHS.asked_model,
        relabelled=PATHS.relabelled,
    output:
        "results/distances/{study}/{cell}/{seeds}/{role}/{query}.npz",
    log:
        "results/logs/distances/{study}/{cell}/{seeds}/{role}/{query}.log",
    benchmark:
        "results/benchmarks/distances/{study}/{cell}/{seeds}/{role}/{query}.tsv"
    wildcard_constraints:
        query=queries_of("directions"),
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
        model=PARAMS.model,
        evaluated=PARAMS.evaluated_of_role,
        pool=PARAMS.pool,
        name="{query}",
        query=lambda wc: PARAMS.perturbation(wc.query),
        precision=PARAMS.precision,
        files=PARAMS.model_files,
        code=lambda wc: code(
            "search_directions",
            *PARAMS.model_entry(wc).modules,
            *(["lmia.models.relabelled_models"] if PATHS.relabelled(wc) else []),
        ),
    message:
        "Move towards fixed points, for the {wildcards.role} of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}: {wildcards.query}"
    script:
        "../scripts/search_directions.py"


rule fit_stopping:
    """When the target's searches may stop, from the shadows' finished searches and their membership."""
    input:
        shadows=PATHS.of_shadows("results/distances/{models}/{role}/{query}.npz"),
        splits=PATHS.of_shadows("results/splits/{models}/{role}.npz"),
    output:
        "results/stopping/{study}/{cell}/{seeds}/{query}.npz",
    log:
        "results/logs/stopping/{study}/{cell}/{seeds}/{query}.log",
    benchmark:
        "results/benchmarks/stopping/{study}/{cell}/{seeds}/{query}.tsv"
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        seeds="{seeds}",
        error=lambda wc: CONFIG.queries[wc.query].stop_error,
        code=code("fit_stopping"),
    message:
        "Learn when {wildcards.query} of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds} may stop"
    script:
        "../scripts/fit_stopping.py"


rule query_references:
    """The labels of a given model beside those of references, trained like it on random parts of the data."""
    input:
        dataset=PATHS.dataset,
        split="results/splits/{study}/{cell}/{seeds}/{role}.npz",
        model=PATHS.asked_model,
        of_target=PATHS.references_of_target,
    output:
        "results/references/{study}/{cell}/{seeds}/{role}/{query}.npz",
    log:
        "results/logs/references/{study}/{cell}/{seeds}/{role}/{query}.log",
    benchmark:
        "results/benchmarks/references/{study}/{cell}/{seeds}/{role}/{query}.tsv"
    wildcard_constraints:
        query=queries_yielding("references"),
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        **GPU_PARTITION,
        mem_mb=growing(4000),
        runtime=growing(720),
        gpu=1,
    params:
        seeds="{seeds}",
        model=PARAMS.model,
        evaluated=PARAMS.evaluated_of_role,
        pool=PARAMS.pool,
        n_train=PARAMS.n_train,
        n_references=lambda wc: CONFIG.queries[wc.query].models,
        trainer=PARAMS.trainer,
        files=lambda wc: PARAMS.files(
            PARAMS.model_entry(wc), *PARAMS.trainer_entries(wc)
        ),
        code=code_for("query_references", PARAMS.model_entry, PARAMS.trainer_entries),
    message:
        "Train models like the {wildcards.role} of {wildcards.study}, and ask them: {wildcards.query}"
    script:
        "../scripts/query_references.py"


# The only rule whose artifacts hold confidences: nothing that a label-only attack reads comes from here.
rule query_confidences:
    """Confidence vectors, for baselines that are not label-only."""
    input:
        dataset=PATHS.dataset,
        split=PATHS.of_models("results/splits/{study}/{cell}/{seeds}/{role}.npz"),
        model=PATHS.of_models("results/models/{study}/{cell}/{seeds}/{role}.npz"),
    output:
        "results/confidences/{study}/{cell}/{seeds}/{role}/{query}.npz",
    log:
        "results/logs/confidences/{study}/{cell}/{seeds}/{role}/{query}.log",
    benchmark:
        "results/benchmarks/confidences/{study}/{cell}/{seeds}/{role}/{query}.tsv"
    wildcard_constraints:
        query=queries_yielding("confidences"),
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
        evaluated=PARAMS.evaluated,
        pool=PARAMS.pool,
        defense=PARAMS.mask,
        population=lambda wc: CONFIG.queries[wc.query].population,
        files=lambda wc: PARAMS.files(PARAMS.model_entry(wc), PARAMS.defense_entry(wc)),
        code=code_for("query_confidences", PARAMS.model_entry, PARAMS.defense_entry),
    message:
        "Query confidences of the {wildcards.role} of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/query_confidences.py"


# The only rule that takes a model's gradients: nothing that a label-only attack reads comes from here.
rule query_white_box:
    """Distances to the decision boundary by gradients, for the bound that is not label-only."""
    input:
        dataset=PATHS.dataset,
        split="results/splits/{study}/{cell}/{seeds}/{role}.npz",
        model="results/models/{study}/{cell}/{seeds}/{role}.npz",
    output:
        "results/white_box/{study}/{cell}/{seeds}/{role}/{query}.npz",
    log:
        "results/logs/white_box/{study}/{cell}/{seeds}/{role}/{query}.log",
    benchmark:
        "results/benchmarks/white_box/{study}/{cell}/{seeds}/{role}/{query}.tsv"
    wildcard_constraints:
        query=queries_yielding("white_box"),
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
        model=PARAMS.model,
        evaluated=PARAMS.evaluated,
        pool=PARAMS.pool,
        query=lambda wc: plain(CONFIG.queries[wc.query]),
        files=PARAMS.model_files,
        code=code_for("query_white_box", PARAMS.model_entry),
    message:
        "Search the boundary by gradients, of the {wildcards.role} of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}: {wildcards.query}"
    script:
        "../scripts/query_white_box.py"
