"""The recipe of fine-tuning: all that determines the model."""

from dataclasses import dataclass, replace

from explain.training.recipes.tasks import TaskRecipe


@dataclass(frozen=True, kw_only=True)
class FinetuningRecipe:
    """All settings of a run; they determine its model on one machine with one version of the libraries.

    Epochs, batch size, learning rate, dropout (of adapter and encoder) and rank are the task's defaults where they are
    None; alpha is then twice the rank.
    """

    task: str
    data: tuple[str, ...]  # as `places_of` takes them
    output: str
    base: str | None = None  # a folder with the encoder; None: the shipped one
    pooling: str | None = None  # how token vectors become a text's vector; None: the task's default
    epochs: float | None = None
    steps: int | None = None
    minutes: float | None = None
    rank: int | None = None  # of the adapter; 0: no adapter, only the head is trained
    alpha: int | None = None
    dropout: float | None = None
    evaluate_every: int | None = None  # steps between measurements on the tuning splits, and between checkpoints
    patience: int | None = None  # measurements without a lower loss before training ends; the best model is kept
    batch_size: int | None = None
    learning_rate: float | None = None
    weight_decay: float = 0.01
    seed: int = 0
    bfloat16: bool = True


def completed(recipe: FinetuningRecipe, task: TaskRecipe) -> FinetuningRecipe:
    """Return the recipe with the task's defaults in place of None."""
    names = ("epochs", "batch_size", "learning_rate", "dropout", "rank")
    recipe = replace(recipe, **{name: getattr(task, name) for name in names if getattr(recipe, name) is None})
    assert recipe.rank is not None
    return replace(recipe, alpha=2 * recipe.rank) if recipe.alpha is None else recipe
