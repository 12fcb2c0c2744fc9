"""A checkpoint's configuration and weight files, checked before anything is built from them."""

import contextlib
import copy
import threading
from collections.abc import Iterator
from pathlib import Path

import transformers
from transformers import AutoConfig

from explain.core.errors import ExplainError, ModelError
from explain.models.families import FAMILIES
from explain.models.loading.folder_checks import check_layers, check_weights, read_config

LOADING = threading.RLock()  # one at a time: transformers' lazy imports do not bear two threads
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")
transformers.logging.set_verbosity_error()  # our own messages say what is wrong with a model
transformers.logging.disable_progress_bar()


def load_config(name: str, folder: Path) -> transformers.PretrainedConfig:
    """Load the configuration of a folder.

    Raises:
        ModelError: transformers can't read it, its family is not supported, or the weights do not fit it.
    """
    read_config(name, folder)
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # not JSON, an unknown family, or one that needs code of its own
        raise ModelError(
            f"{name} has a config.json that transformers can't use without running the model's own code, or at all: "
            f"{first_line(error)}"
        ) from error
    if config.model_type not in FAMILIES:
        raise ModelError(
            f"{name} is of the family {config.model_type!r}, which is not supported. "
            f"Supported: {', '.join(sorted(FAMILIES))}."
        )
    config.chunk_size_feed_forward = 0  # it saves memory, changes no number, and takes only the lengths it divides
    check_weights(name, folder)
    layer = FAMILIES[config.model_type].layer
    shared = layer is not None and bool(layer.groups)
    check_layers(name, folder, 0 if shared else config.num_hidden_layers)
    return copy.deepcopy(config)


def check_weight_files(name: str, folder: Path) -> None:
    """Check that a folder's weights are safetensors that can be read.

    Raises:
        ModelError: they are pickles, broken, or missing.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        pickles = sorted(path.name for pattern in _PICKLES for path in folder.glob(pattern))
        if pickles:
            raise ModelError(
                f"{name} holds pickled weights ({', '.join(pickles[:3])}), which can run code when they are read; "
                "they are never opened here. Convert them on a machine you trust: load the model there with "
                "transformers and call save_pretrained(folder), which writes model.safetensors."
            )
        raise ModelError(f"{name} has no weights: {folder} holds no .safetensors file.")
    check_weights(name, folder)


@contextlib.contextmanager
def as_model_errors(name: str) -> Iterator[None]:
    """Turn whatever a library raises into a `ModelError`: a folder may be broken in more ways than are checked."""
    try:
        yield
    except ExplainError:
        raise
    except Exception as error:
        raise ModelError(
            f"{name} can't be used: {first_line(error)} ({type(error).__name__}). Copy the model again, or save it "
            "again with save_pretrained(folder)."
        ) from error


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message; where it ends with a colon, the next line too."""
    message = (
        str(error).encode("utf-8", "backslashreplace").decode("utf-8")
    )  # it may quote a file's halves of characters
    lines = message.strip().splitlines() or [type(error).__name__]
    return " ".join(lines[: 2 if lines[0].rstrip().endswith(":") else 1])[:300]
