"""What many tests need: tiny models of every family, the shipped one, and a browser."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no test may reach for the network
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from explain.models.base import TextModel
from explain.models.catalogue import load_folder, load_model
from explain.models.encoder import EncoderModel
from tests import chromium
from tests.tiny_models import tiny_folder


@pytest.fixture(scope="session")
def tiny_folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The folder of a tiny random model of a family, made once."""
    made: dict[str, Path] = {}

    def make(family: str) -> Path:
        if family not in made:
            made[family] = tiny_folder(family, tmp_path_factory.mktemp(family))
        return made[family]

    return make


@pytest.fixture(scope="session")
def tiny(tiny_folder_of: Callable[..., Path]) -> Callable[[str], EncoderModel]:
    """A tiny random model of a family, loaded once."""
    loaded: dict[str, EncoderModel] = {}

    def load(family: str) -> EncoderModel:
        if family not in loaded:
            loaded[family] = load_folder(family, tiny_folder_of(family))
        return loaded[family]

    return load


@pytest.fixture(scope="session")
def sentiment() -> TextModel:
    """The shipped classifier."""
    return load_model("sentiment")


@pytest.fixture(scope="session")
def tiny_bert(tiny: Callable[[str], EncoderModel]) -> EncoderModel:
    return tiny("bert")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    assert path, "no Chromium: run `make test`, which installs one"
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS)
