"""The recipe of a fine-tuning."""

from dataclasses import dataclass, replace

from explain.training.recipes.tasks import TaskRecipe


@dataclass(frozen=True, kw_only=True)
class FinetuningRecipe:
    """Everything that decides what comes out of a run (on one machine, with one version of the libraries).

    Epochs, batch size, learning rate, dropout (the adapter's and the encoder's own) and rank are the task's own where
    they are None; alpha is then twice the rank.
    """

    task: str
    data: tuple[str, ...]  # as `places_of` takes them
    output: str
    base: str | None = None  # a folder with the encoder; None: the shipped one
    pooling: str | None = None  # how texts become vectors; None: the task's own way
    epochs: float | None = None
    steps: int | None = None
    minutes: float | None = None
    rank: int | None = None  # of the adapter; 0: none, the encoder stays as it is and the head alone is trained
    alpha: int | None = None
    dropout: float | None = None
    evaluate_every: int | None = None  # steps between measuring on the tuning splits, and between checkpoints
    patience: int | None = None  # stop when so many of these brought no lower loss; the best is what is kept
    batch_size: int | None = None
    learning_rate: float | None = None
    weight_decay: float = 0.01
    seed: int = 0
    bfloat16: bool = True


def completed(recipe: FinetuningRecipe, about: TaskRecipe) -> FinetuningRecipe:
    """The recipe with the task's own settings where none are given."""
    names = ("epochs", "batch_size", "learning_rate", "dropout", "rank")
    recipe = replace(recipe, **{name: getattr(about, name) for name in names if getattr(recipe, name) is None})
    assert recipe.rank is not None
    return replace(recipe, alpha=2 * recipe.rank) if recipe.alpha is None else recipe
