"""Examples in docstrings are run, so that they stay true."""

import doctest
import importlib
import pkgutil

import pytest

import ledgercore


def modules() -> list[str]:
    """Every module of the core."""
    return sorted(found.name for found in pkgutil.walk_packages(ledgercore.__path__, "ledgercore."))


@pytest.mark.parametrize("name", modules())
def test_examples_of_the_module_hold(name: str):
    """What a docstring shows is what happens."""
    module = importlib.import_module(name)

    failures, _ = doctest.testmod(module, raise_on_error=False, verbose=False)

    assert failures == 0


def test_some_modules_have_examples():
    """The test above would pass on a core without a single example."""
    finder = doctest.DocTestFinder()

    found = [
        example
        for name in modules()
        for test in finder.find(importlib.import_module(name))
        for example in test.examples
    ]

    assert len(found) >= 10
