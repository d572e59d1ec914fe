"""Which rules read the keys of each section."""

ASKS = {"query_labels", "search_boundary", "search_directions", "query_confidences", "query_white_box"}
ASKS |= {"query_references", "craft_queries", "query_relabelled"}
TRAINS = {"train_model", "train_relabelled"}
MODEL = {"check_study", "train_shadow", "import_target", "find_outliers", "relabel", *TRAINS, *ASKS}
PLOTS = {"plot_metrics", "plot_scores", "plot_gallery"}
# Rules that read the keys of a section, by its class in the schema: some of these, and no others, are planned first.
READERS = {
    # Membership alone is read by the second, and what names records and groups by the third.
    "datasets": {"prepare_dataset", "draw_split", "write_audit"},
    "models": MODEL,
    "trainers": {"import_target", "train_shadow", *ASKS},
    "targets": {"import_target", "train_shadow", *ASKS},
    "defenses": {*TRAINS, "query_confidences", "plot_metrics"},  # plots show strengths
    "training": TRAINS,
    "outliers": {"find_outliers"},
    "epsilon": {"bound_epsilon", "plot_metrics"},  # plots say of which delta and level bounds are
    # Of another kind: measures name the access that it needs, and the axes of plots what is asked.
    "queries": {
        *ASKS,
        "fit_stopping",
        "score_attack",
        "score_given",
        "score_in_question",
        "score_pool",
        "measure_attack",
        "measure_pool",
        "bound_epsilon",
        "compare_exhibit",
        "write_audit",
        "compare_in_question",
        "decide_in_question",
    }
    | PLOTS,
    "attacks": {
        *("score_attack", "score_given", "score_in_question", "score_pool"),
        *("measure_attack", "measure_pool", "bound_epsilon", "compare_pool"),
        *("compare_exhibit", "plot_metrics", "plot_scores", "write_audit"),
        *("compare_in_question", "decide_in_question"),
    },
    "metrics": {"measure_attack", "measure_pool", "compare_pool", "compare_exhibit"},
    "figures": PLOTS,
    "exhibits": {"compare_exhibit"},
}
