"""Studies: what is trained, on what, and how."""

from typing import Annotated, Literal

from pydantic import Field

from lmia.streams import seed_list
from workflow.config.schema.base import Count, Distinct, Fraction, NonEmpty, NonNegative, Positive, Strict


class Training(Strict):
    optimizer: Literal["adam", "sgd"] = Field("adam", description="sgd: with Nesterov momentum of 0.9")
    learning_rate: Positive = Field(1e-3, description="of the optimizer")
    weight_decay: NonNegative = Field(0.0, description="adam: apart from the loss; sgd: joins the gradient")
    batch_size: Count = Field(100, description="examples per step")
    min_delta: NonNegative = Field(0.005, description="least fall of the mean loss that counts as one")
    patience: Count = Field(20, description="epochs without one before training ends")
    max_epochs: Count = Field(1000, description="where training ends at the latest")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="of forward and backward passes; weights and losses stay in float32"
    )


Block = Annotated[str, Field(pattern=r"^([0-9]{1,18}-[0-9]{1,18}|0|[1-9][0-9]{0,17})$")]  # 010 is 8 to others


class Outliers(Strict):
    fraction: Fraction = Field(0.01, description="of the evaluated points that are outliers, beta in the paper")
    neighbours: Count = Field(5, description="an outlier has fewer within the distance that gives that fraction")


class Epsilon(Strict):
    delta: Annotated[float, Field(ge=0, lt=1)] = Field(1e-5, description="of the differential privacy that is bounded")
    level: Fraction = Field(0.95, description="of confidence: no more than 1 - level of all bounds are too high")


class Study(Strict):
    """What is trained: one model of each kind of role for every n_train, defense and seed."""

    dataset: str = Field(description="an entry under `datasets`")
    n_train: Annotated[list[Count], NonEmpty, Distinct] = Field(
        description="members per model; of a given one, all that it was trained on, known here or not"
    )
    n_nonmembers: Count | None = Field(None, description="non-members per model; default: as many as members")
    splits: Literal["disjoint", "halves", "pool", "given"] = Field(
        "disjoint",
        description="disjoint: target and shadow share no example; halves: each is trained on the other's non-members; "
        "pool: seeds are models, of which 0 and 1 are a pair, and so on: a coin puts each example into one of a pair; "
        "given: the model is an entry under `targets`, and `membership` of the data set says what it was trained on",
    )
    pool: Annotated[int, Field(ge=0, lt=10**9)] | None = Field(
        None, description="number of the pool, which draws its examples, coins and queries; default: 0, of splits: pool"
    )
    evaluated: Count | None = Field(
        None,
        description="at most so many members, and as many non-members, of each model are asked about; default: all",
    )
    model: str = Field(description="an entry under `models`, or under `targets` with splits: given")
    defenses: Annotated[list[str], NonEmpty, Distinct] = Field(["none"], description="entries under `defenses`")
    seeds: Annotated[list[Block | Annotated[int, Field(strict=True, ge=0, lt=10**18)]], NonEmpty] = Field(
        description='blocks of seeds, each one job: "0-5" is six seeds, 6 is one'
    )
    shadows: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        None,
        description="shadow models per seed, default: 1; of a given model so many, 4 at least, that are trained like "
        "it, default: none, as half of the known records stand for one",
    )
    training: Training = Field(Training.model_validate({}), description="how models are trained")
    outliers: Outliers | None = Field(None, description="also measure attacks on outliers alone; default: no")
    canaries: Count | None = Field(
        None, description="of a pool: so many of its examples are canaries, which are measured apart; default: none"
    )
    canary_kind: Literal["mislabelled", "out_of_distribution"] | None = Field(
        None, description="canaries have a wrong label, or are noise with any label; default: mislabelled"
    )
    relabelled: Count | None = Field(
        None,
        description="of a pool: points beside its examples that each target labels, for models that some attacks train "
        "on these labels; default: 4 times n_train",
    )
    epsilon: Epsilon | None = Field(
        None,
        description="of a pool: also bound the epsilon of its training by what attacks guess, of canaries alone where "
        "there are some; default: no",
    )
    in_question: Count | None = Field(
        None,
        description="of a given model: at most so many records of unknown membership are judged too; default: none",
    )
    prior: Fraction | None = Field(
        None, description="of a given model: which share of records like these you believe to be in training"
    )
    alternatives: Annotated[list[str], Distinct] = Field(
        [],
        description="of a given model: studies of other models on the same records, which its page compares it with",
    )
    attacks: Annotated[list[str], Distinct] | None = Field(
        None, description="default: all that can run: those that calibrate only with splits: pool"
    )

    @property
    def is_pool(self) -> bool:
        """Whether its models are a pool: each is a target once, and the others but its partner are its shadows."""
        return self.splits == "pool"

    @property
    def is_given(self) -> bool:
        """Whether its model is trained already: unless it has shadows, half of what is known of it stands for one of
        the other half.
        """
        return self.splits == "given"

    @property
    def n_shadows(self) -> int:
        """Models per seed that are shadows and nothing else."""
        if self.is_pool or self.is_given:
            return (self.shadows or 0) if self.is_given else 0
        return self.shadows or 1

    def pool_number(self) -> int | None:
        """Of its pool, None where it has none."""
        return (self.pool or 0) if self.is_pool else None

    def n_relabelled(self, n_train: int) -> int:
        """How many points targets of n_train members label for an attacker, where one wants that."""
        return self.relabelled or 4 * n_train

    def shadow_roles(self) -> list[str]:
        """Roles of the models that are shadows and nothing else."""
        return [f"shadow{number}" for number in range(self.n_shadows)]

    def seeds_in_order(self) -> list[int]:
        """All seeds of all blocks, in the order of their results."""
        return [seed for block in self.seeds for seed in seed_list(block)]

    def models(self) -> list[int]:
        """All seeds of all blocks, ascending."""
        return sorted(self.seeds_in_order())
