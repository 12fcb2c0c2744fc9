"""Models of the Hugging Face hub, fetched once by a process: safetensors, settings and vocabularies only."""

import re
from pathlib import Path
from typing import Any

from explain.core.errors import ModelError
from explain.core.registry import unknown

MOST_FETCHED = 5_000_000_000  # bytes from the hub at once
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
# Only these files are fetched: pickled weights and code never reach this machine.
_FETCHED = ["*.json", "*.txt", "*.model", "model*.safetensors"]
_FOLDERS: dict[tuple[str, str | None], Path] = {}  # fetched by this process


def is_hub_name(place: str) -> bool:
    """Whether a name could be one on the hub."""
    return bool(_HUB_NAME.fullmatch(place))


def fetched_folder(place: str, revision: str | None) -> Path | None:
    """Return the folder of a model that this process fetched; None where it did not."""
    return _FOLDERS.get((place, revision))


def fetch(place: str, revision: str | None, known: list[str]) -> Path:
    """Fetch a model from the hub and return its folder.

    Args:
        known: names of models that are here, for the message about one that can't be on the hub.

    Raises:
        ModelError: there is no such model, it is too large, or the hub can't be reached.
    """
    folder = _FOLDERS[place, revision] = _from_hub(place, revision, known)
    return folder


def _from_hub(place: str, revision: str | None, known: list[str]) -> Path:
    if not is_hub_name(place):
        raise ModelError(unknown("model or folder", place, known))
    import huggingface_hub

    try:
        info = huggingface_hub.HfApi().model_info(place, revision=revision, files_metadata=True)
        wanted = list(
            huggingface_hub.utils.filter_repo_objects(info.siblings or [], allow_patterns=_FETCHED, key=_name)
        )
        size = sum(file.size or 0 for file in wanted)
        if size > MOST_FETCHED:
            raise ModelError(
                f"{place} is {size / 1e9:.1f} GB; at most {MOST_FETCHED / 1e9:.0f} GB are fetched. "
                "Fetch it yourself and give its folder."
            )
        return Path(huggingface_hub.snapshot_download(place, revision=revision, allow_patterns=_FETCHED))
    except ModelError:
        raise
    except Exception as error:  # the hub's client raises many kinds; all mean that we have no files
        raise ModelError(
            f"{place} is no folder here, and the Hugging Face hub did not give it ({type(error).__name__}). "
            "Check the name; without a network, fetch the model elsewhere and give its folder."
        ) from error


def _name(file: Any) -> str:
    return str(file.rfilename)
