# In: all results that are there. Out: nothing but a report; `snakemake verify` builds nothing, and so always runs.
rule verify:
    """Whether all results that are there are undamaged, and what the configuration would make now."""
    log:
        "results/logs/verify.log",
    localrule: True
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(5000),
        runtime=growing(240),
    params:
        paths=lambda wc: PATHS.all_results(),
    message:
        "Verify all results that are there"
    script:
        "../scripts/verify.py"
