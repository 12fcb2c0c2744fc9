"""A model as a few strings, which travel to other processes, where a loaded model can't."""

from dataclasses import dataclass

from explain.models.base import TextModel
from explain.models.loading.catalogue import load_model

_NO_REVISION = ("local", "shipped")  # a record's revision where the hub had no part in it


@dataclass(frozen=True)
class ModelSpec:
    """A model by name, task and revision; hashable, and a few bytes when pickled.

    Attributes:
        name: a shipped name, a name from `EXPLAIN_MODELS`, a local folder, or a hub name ("org/model").
        task: which of the tasks that the model can do, by the registry's name or Hugging Face's.
        revision: a hub revision; None where there is none, or the newest is meant.

    >>> spec = ModelSpec("base", "next-sentence-prediction")
    >>> spec.load().task.title
    'Next-sentence prediction'
    """

    name: str
    task: str
    revision: str | None = None

    @classmethod
    def of(cls, model: TextModel) -> "ModelSpec":
        """Return the spec that loads a model again, in another process too."""
        revision = model.record.revision
        return cls(model.name, model.task.name, None if revision in _NO_REVISION else revision)

    def load(self) -> TextModel:
        """Load the model, or hand out the one that this process has loaded already.

        Raises:
            ModelError: see `explain.models.loading.catalogue.load_model`.
        """
        return load_model(self.name, self.revision, self.task)
