# In: the configuration, and what was paid already. Out: nothing but a report, before anything is sent.
rule cost:
    """What audits of given models ask and cost at most; an error where they plan more than they may."""
    log:
        "results/logs/cost.log",
    localrule: True
    conda:
        "../envs/numpy.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(5),
    params:
        bill=lambda wc: bill(CONFIG),
    message:
        "Count what audits of given models ask, and send nothing"
    script:
        "../scripts/cost.py"
