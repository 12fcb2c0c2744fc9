"""Old names and import paths: each still works, and says where it went."""

import importlib
import subprocess
import sys

import pytest

from explain.core.deprecated import MOVED, RENAMED


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in RENAMED.items() for name in names])
def test_old_names_lead_to_new_ones(module: str, name: str) -> None:
    home, _, leaf = RENAMED[module][name].rpartition(".")
    with pytest.warns(DeprecationWarning, match="is now"):
        old = getattr(importlib.import_module(module), name)
    assert old is getattr(importlib.import_module(home), leaf)


@pytest.mark.parametrize("module", MOVED)
def test_old_modules_hand_out_what_moved(module: str) -> None:
    new = importlib.import_module(MOVED[module])
    name = next(name for name in vars(new) if not name.startswith("_") and name not in RENAMED.get(module, {}))
    with pytest.warns(DeprecationWarning, match="goes with the next release"):
        assert getattr(importlib.import_module(module), name) is getattr(new, name)
    with pytest.raises(AttributeError):
        importlib.import_module(module).no_such_name  # noqa: B018


def test_a_module_that_never_was_is_not_found() -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("explain.no_such_module")


def test_importing_the_package_warns_of_nothing() -> None:
    code = "import explain; explain.METHODS['occlusion']; explain.ANALYSES['logit_lens']"
    subprocess.run([sys.executable, "-W", "error::DeprecationWarning:explain", "-c", code], check=True)
