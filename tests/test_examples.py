"""Every public function of `explain`, `explain.data` and `explain.numerics` has an example, which runs."""

import doctest
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import explain
import explain.data
import explain.numerics

Function = Callable[..., Any]


def modules_of(package: ModuleType) -> Iterator[ModuleType]:
    """Yield a package and its modules."""
    yield package
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(module.name)


def public_functions(module: ModuleType) -> Iterator[Function]:
    """Yield the public functions that a module defines, cached ones too."""
    for name, member in vars(module).items():
        function = inspect.unwrap(member) if callable(member) else member
        if inspect.isfunction(function) and not name.startswith("_") and function.__module__ == module.__name__:
            yield function


FUNCTIONS = [
    *(member for member in (getattr(explain, name) for name in explain.__all__) if inspect.isfunction(member)),
    *(
        function
        for package in (explain.data, explain.numerics)
        for module in modules_of(package)
        for function in public_functions(module)
    ),
]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: f"{function.__module__}.{function.__name__}")
def test_the_example_runs(function: Function) -> None:
    names = dict(vars(sys.modules[function.__module__]))
    (examples,) = doctest.DocTestFinder(recurse=False).find(function, function.__name__, globs=names)
    assert examples.examples, "A public function needs an example: add a line that begins with >>> to its docstring."
    report: list[str] = []
    outcome = doctest.DocTestRunner().run(examples, out=report.append)
    assert not outcome.failed, "".join(report)


def test_every_room_is_covered() -> None:
    names = {f"{function.__module__}.{function.__name__}" for function in FUNCTIONS}
    assert {"explain.api.explain", "explain.api.ask", "explain.numerics.quadrature.gauss_legendre"} <= names
