"""What many tests need: tiny models of every family, the shipped one, and a browser."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from playwright.sync_api import Browser, expect, sync_playwright
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no test may reach for the network
os.environ["EXPLAIN_HISTORY"] = "off"  # nor write into the history of whoever runs it
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("NUMBA_DISABLE_JIT", "1")  # compiling UMAP takes longer than all it does here

from explain.models.base import TextModel
from explain.models.counterfactuals.masked_words import MaskedWords
from explain.models.loading.catalogue import load_folder, load_model
from explain.models.transformer import EncoderModel
from tests import chromium
from tests.tiny_models import tiny_folder
from tests.waiting import PATIENCE

settings.register_profile("explain", deadline=None)  # seconds say nothing on a machine that others use
settings.load_profile("explain")

torch.set_num_threads(1)  # tiny models gain nothing by threads, and lose much where something else computes too


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Hand out tests by file, which share what they compute; one process does all that visit the app.

    A module's fixture ends when its process turns to another file, so tests handed out one by one make it anew.
    """

    class Shared(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "app" if re.match(r"tests/pages/\w*browser\.py::", nodeid) else nodeid.partition("::")[0]

    return Shared(config, log)


@pytest.fixture(scope="session")
def tiny_folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The folder of a tiny random model of a family, made once."""
    made: dict[tuple[str, str], Path] = {}

    def make(family: str, head: str = "ForSequenceClassification") -> Path:
        if (family, head) not in made:
            made[family, head] = tiny_folder(family, tmp_path_factory.mktemp(family), head=head)
        return made[family, head]

    return make


@pytest.fixture(scope="session")
def tiny(tiny_folder_of: Callable[..., Path]) -> Callable[..., EncoderModel]:
    """A tiny random model of a family, loaded once."""
    loaded: dict[Path, EncoderModel] = {}

    def load(family: str, head: str = "ForSequenceClassification") -> EncoderModel:
        folder = tiny_folder_of(family, head)
        if folder not in loaded:
            loaded[folder] = load_folder(family, folder)
        return loaded[folder]

    return load


@pytest.fixture(scope="session")
def _tiny_words(tiny: Callable[..., EncoderModel]) -> MaskedWords:
    return MaskedWords(tiny("bert", "ForMaskedLM"))


@pytest.fixture
def tiny_fillers(_tiny_words: MaskedWords, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counterfactuals take their words from a tiny random model, which takes no time."""
    for module in ("counterfactuals", "word_edits"):
        monkeypatch.setattr(f"explain.analyses.{module}.masked_words", lambda: _tiny_words)


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
    expect.set_options(timeout=1000 * PATIENCE)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=chromium.ARGUMENTS)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests recorded to be read: how much of the ground truth each method finds."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    for report in reports:
        for name, value in report.user_properties:
            if name == "in the summary":
                terminalreporter.write_line(str(value))
