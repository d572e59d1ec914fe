rule ask_queries:
    input:
        dataset=dataset_of,
        split="results/splits/{study}/{cell}/{seeds}/{role}.npz",
        model="results/models/{study}/{cell}/{seeds}/{role}.npz",
    output:
        "results/answers/{study}/{cell}/{seeds}/{role}/{query}.npz",
    log:
        "results/logs/answers/{study}/{cell}/{seeds}/{role}/{query}.log",
    benchmark:
        "results/benchmarks/answers/{study}/{cell}/{seeds}/{role}/{query}.tsv"
    wildcard_constraints:
        query=any_of(queries_yielding("labels")),
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=240,
        gpu=1,
    params:
        model=model_params,
        query=lambda wc: spec(CONFIG.queries[wc.query]),
        code=lambda wc: code(
            "ask_queries",
            model_module(wc),
            module_of("perturbations", CONFIG.queries[wc.query]),
        ),
    message:
        "Ask the {wildcards.role} of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}: {wildcards.query}"
    script:
        "../scripts/ask_queries.py"


rule search_boundary:
    input:
        dataset=dataset_of,
        split="results/splits/{study}/{cell}/{seeds}/{role}.npz",
        model="results/models/{study}/{cell}/{seeds}/{role}.npz",
    output:
        "results/distances/{study}/{cell}/{seeds}/{role}/{query}.npz",
    log:
        "results/logs/distances/{study}/{cell}/{seeds}/{role}/{query}.log",
    benchmark:
        "results/benchmarks/distances/{study}/{cell}/{seeds}/{role}/{query}.tsv"
    wildcard_constraints:
        query=any_of(queries_yielding("distances")),
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=720,
        gpu=1,
    params:
        model=model_params,
        query=lambda wc: spec(CONFIG.queries[wc.query]),
        code=lambda wc: code("search_boundary", model_module(wc)),
    message:
        "Search the boundary of the {wildcards.role} of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}: {wildcards.query}"
    script:
        "../scripts/search_boundary.py"


# The only rule whose artifacts hold confidences: nothing that a label-only attack reads comes from here.
rule read_confidences:
    input:
        dataset=dataset_of,
        split="results/splits/{study}/{cell}/{seeds}/{role}.npz",
        model="results/models/{study}/{cell}/{seeds}/{role}.npz",
    output:
        "results/confidences/{study}/{cell}/{seeds}/{role}/{query}.npz",
    log:
        "results/logs/confidences/{study}/{cell}/{seeds}/{role}/{query}.log",
    benchmark:
        "results/benchmarks/confidences/{study}/{cell}/{seeds}/{role}/{query}.tsv"
    wildcard_constraints:
        query=any_of(queries_yielding("confidences")),
    conda:
        "../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
        gpu=1,
    params:
        model=model_params,
        defense=lambda wc: spec(defense(wc)),
        code=lambda wc: code(
            "read_confidences", model_module(wc), module_of("defenses", defense(wc))
        ),
    message:
        "Read confidences of the {wildcards.role} of {wildcards.study}, {wildcards.cell}, seeds {wildcards.seeds}"
    script:
        "../scripts/read_confidences.py"
