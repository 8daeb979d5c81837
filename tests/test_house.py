"""The rooms and their arrows: cli -> extract | heads -> aqa_pipeline, and h5py behind one door."""

import ast
import importlib.metadata
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
ROOMS = {"aqa_pipeline": set(), "extract": {"aqa_pipeline"}, "heads": {"aqa_pipeline"}}


def imports(path: Path) -> set[str]:
    """Full names of the modules that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_run_one_way(room):
    others = {*ROOMS, "cli"} - ROOMS[room] - {room}
    for path in (REPOSITORY / room).rglob("*.py"):
        wrong = {name for name in imports(path) if name.split(".")[0] in others}
        assert not wrong, f"{path.relative_to(REPOSITORY)} imports {wrong}"


def test_h5py_is_imported_in_the_store_alone():
    users = {
        path.parent.relative_to(REPOSITORY).as_posix()
        for room in ROOMS
        for path in (REPOSITORY / room).rglob("*.py")
        if any(name.split(".")[0] == "h5py" for name in imports(path))
    }
    assert users == {"aqa_pipeline/store"}


def test_no_dependency_brings_a_module_with_the_name_of_one_of_ours():
    owners = importlib.metadata.packages_distributions()
    for name in ("cli", *ROOMS):
        assert set(owners.get(name, [])) <= {"aqa-pipeline"}, f"{name} is also in {owners[name]}"


def test_tests_are_no_packages():
    assert not list((REPOSITORY / "tests").rglob("__init__.py"))
