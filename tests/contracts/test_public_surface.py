"""What `trimtab` offers: each name is there, says what it is, and is known to type checkers."""

import ast
import inspect
from importlib.metadata import version
from pathlib import Path
from types import FunctionType

import pytest

import trimtab

SOURCE = Path(trimtab.__file__)
PUBLIC = sorted(trimtab._HOMES)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there_and_says_what_it_is(name: str) -> None:
    found = getattr(trimtab, name)

    assert isinstance(found, type | FunctionType)
    assert found.__name__ == name
    assert inspect.getdoc(found)


def test_type_checkers_know_the_names_that_are_there() -> None:
    (block,) = [node for node in ast.parse(SOURCE.read_text()).body if isinstance(node, ast.If) and not node.orelse][:1]

    exported = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }

    assert exported == trimtab._HOMES


def test_no_public_name_is_that_of_a_module() -> None:
    modules = {path.stem for path in SOURCE.parent.iterdir()}

    # Python puts a module that is imported in the place of whatever has its name.
    assert modules.isdisjoint(PUBLIC)


def test_public_names_are_listed() -> None:
    assert {*PUBLIC, "load_model", "__version__"} <= set(dir(trimtab))
    assert {*trimtab.__all__} == {*PUBLIC, "load_model"}


def test_the_package_says_its_version() -> None:
    assert trimtab.__version__ == version("trimtab")


def test_a_name_that_is_not_there_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Studdy'"):
        _ = trimtab.Studdy  # type: ignore[attr-defined]  # That it is none is the point.
