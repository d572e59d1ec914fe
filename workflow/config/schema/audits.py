"""Audits of models that exist already, in fewer words than studies have for them."""

from typing import Annotated, Any

from pydantic import Field, create_model

from workflow.config.schema.base import Count, Strict
from workflow.config.schema.studies import Study

# Keys of a study that an audit has in words of its own, or that a given model does not have.
LEFT_OUT = {"dataset", "model", "n_train", "seeds", "splits"}
LEFT_OUT |= {
    "canaries",
    "canary_kind",
    "defenses",
    "epsilon",
    "n_nonmembers",
    "outliers",
    "pool",
    "relabelled",
    "training",
}


class OwnKeys(Strict):
    target: str = Field(description="an entry under `targets`: the model")
    dataset: str = Field(description="an entry under `datasets`, whose `membership` says what the model was trained on")
    n_train: Count | None = Field(
        None, description="size of the whole training set, known here or not; default: the members that are known"
    )
    seed: Annotated[int, Field(strict=True, ge=0, lt=10**18)] = Field(0, description="of all that is drawn")


_SHARED: dict[str, Any] = {
    name: (field.annotation, field) for name, field in Study.model_fields.items() if name not in LEFT_OUT
}


class Audit(create_model("WithKeysOfStudies", __base__=OwnKeys, **_SHARED)):
    """A model that exists already, attacked: short for a study of the same name with `splits: given`."""

    def as_study(self, n_train: int) -> Study:
        """The study that it is short for. n_train: size of the training set, at least 1."""
        stated = self.model_dump(exclude_unset=True, exclude=set(OwnKeys.model_fields))
        own = {"dataset": self.dataset, "model": self.target, "splits": "given"}
        return Study.model_validate({**own, "n_train": [n_train], "seeds": [self.seed], **stated})
