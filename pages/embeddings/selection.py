"""The texts that the page is about, with their model, and the two that are picked."""

from dataclasses import dataclass

from explain.data.texts import LoadedTexts
from explain.models.base import TextModel
from pages.shared.files import UploadedTexts

MOST_SHOWN = 300  # characters of a text in a table


@dataclass(frozen=True)
class Selection:
    """LoadedTexts, the model and pooling of their vectors, and the picked texts by number."""

    uploaded: UploadedTexts
    model: TextModel
    pooling: str
    picked: tuple[int, ...]

    @property
    def texts(self) -> LoadedTexts:
        """The texts without the file they come from."""
        return self.uploaded.texts
