"""The rooms and their arrows: cli -> aqa -> extract | heads -> aqa_pipeline. h5py is the store's."""

import ast
import graphlib
import importlib.metadata
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
ROOMS = {"aqa_pipeline": set(), "extract": {"aqa_pipeline"}, "heads": {"aqa_pipeline"}}
# Folders and files of each package, from the top floor to the ground: each imports only what is below it.
FLOORS = {
    "aqa_pipeline": (
        {"commands"},
        {"measuring"},
        {"doctor", "encoding", "importing", "project", "simulation", "sources"},
        {"datasets"},
        {"backbones", "cluster", "video"},
        {"athlete", "poses", "store", "weights"},
        {"spec_facts"},
        {"plugins", "records"},
        {"disk", "footage", "precision", "untrusted"},
        {"errors", "installation", "interrupts", "metrics", "spelling"},
        {"misfit", "text_table", "video_names"},
        {"plurals"},
    ),
    "extract": (
        {"commands"},
        {"preview"},
        {"run"},
        {"choices", "decoding"},
        {"streams"},
        {"poses", "trackers"},
        {"detectors"},
        {"runtimes"},
        {"clock", "full_precision"},
    ),
    "heads": (
        {"commands"},
        {"bench"},
        {"attempts", "reports", "tables"},
        {"scoring"},
        {"training"},
        {"evaluation"},
        {"runs"},
        {"registry"},
        {"models"},
        {"data"},
        {"pages", "recipes"},
    ),
}


def imports(path: Path) -> set[str]:
    """Full names of the modules that a file imports, wherever in it."""
    return imports_of(ast.parse(path.read_text()))


def imports_of(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_run_one_way(room):
    others = {*ROOMS, "aqa", "cli"} - ROOMS[room] - {room}
    for path in (REPOSITORY / room).rglob("*.py"):
        wrong = {name for name in imports(path) if name.split(".")[0] in others}
        assert not wrong, f"{path.relative_to(REPOSITORY)} imports {wrong}"


def imports_at_run_time(path: Path) -> set[str]:
    """Full names of the modules that a file imports outside `if TYPE_CHECKING`."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    return imports_of(tree)


def test_the_command_line_takes_stages_from_aqa_and_their_commands():
    of_stages = {
        name for name in imports_at_run_time(REPOSITORY / "cli.py") if name.startswith(("extract", "heads"))
    }
    assert not {name for name in of_stages if name.split(".")[1] != "commands"}


def test_only_the_command_line_imports_aqa():
    names = set().union(*map(imports, (REPOSITORY / "aqa").glob("*.py")))
    packages = {name.split(".")[0] for name in names}
    assert set(ROOMS) <= packages
    assert "cli" not in packages
    assert "aqa" in imports(REPOSITORY / "cli.py")
    outside = [path for folder in ("benchmarks", "campaigns") for path in (REPOSITORY / folder).rglob("*.py")]
    assert not [path for path in outside if "aqa" in imports(path)]


def files_of(package: str) -> dict[str, Path]:
    """Paths by the names under which they are imported."""
    paths = (REPOSITORY / package).rglob("*.py")
    names = {".".join(path.relative_to(REPOSITORY).with_suffix("").parts): path for path in paths}
    return {name.removesuffix(".__init__"): path for name, path in names.items()}


def arrows(package: str) -> set[tuple[str, str]]:
    """Pairs of the package's modules, the first of which imports the second, wherever in its text."""
    modules = files_of(package)
    found = set()
    for name, path in modules.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module in modules:
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= {(name, each if each in modules else node.module) for each in inner}
            elif isinstance(node, ast.Import):
                found |= {(name, alias.name) for alias in node.names if alias.name in modules}
    return found


@pytest.mark.parametrize("package", ROOMS)
def test_no_file_imports_upwards(package):
    floor_of = {room: floor for floor, rooms in enumerate(FLOORS[package]) for room in rooms}
    for importer, imported in sorted(arrows(package)):
        above, below = (name.split(".")[1] if "." in name else None for name in (importer, imported))
        if above is not None and below is not None and above != below:
            assert floor_of[above] < floor_of[below], f"{importer} imports {imported}, which is not below it"


@pytest.mark.parametrize("package", ROOMS)
def test_every_room_has_a_floor(package):
    entries = (REPOSITORY / package).iterdir()
    rooms = {path.stem for path in entries if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert rooms - {"__init__"} == set().union(*FLOORS[package])


@pytest.mark.parametrize("package", ROOMS)
def test_no_files_import_each_other_in_a_circle(package):
    below: dict[str, set[str]] = {}
    for importer, imported in arrows(package):
        if files_of(package)[imported].name != "__init__.py":  # a package's face hands names on
            below.setdefault(importer, set()).add(imported)
    graphlib.TopologicalSorter(below).prepare()


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
    for name in ("aqa", "cli", *ROOMS):
        assert set(owners.get(name, [])) <= {"aqa-pipeline"}, f"{name} is also in {owners[name]}"


def test_tests_are_no_packages():
    assert not list((REPOSITORY / "tests").rglob("__init__.py"))
