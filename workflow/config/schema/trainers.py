"""How models like a given one are trained: by a user's own code."""

from workflow.config.schema.base import EXTRA, Custom


class Trainer(Custom):
    """A module of a user's: `fit(inputs, classes, seed)` trains a model."""

    model_config = EXTRA

    package = "trainers"
    target = "fit"
