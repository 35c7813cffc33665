"""The shape of the house: which way imports go, how long a module is, where a blind except may stand."""

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
PACKAGE = "voucher_mcp"

# From the ground up. A module imports from its own floor and from those below it, never from above.
FLOORS = [
    {""},  # the package itself, which holds the version
    {"domain"},
    {"config"},
    {"stores"},
    {"journal"},
    {"backends"},
    {"policy"},
    {"tools"},
    {"server"},
    {"http"},
    {"cli", "__main__"},
]
# Libraries that only one part may import: one place talks to files and vendors, and `serve` never loads rich.
ONLY_IN = {
    "apsw": {"stores"},
    "asyncpg": {"stores"},
    "barcode": {"tools"},
    "httpx2": {"backends", "http"},
    "jinja2": {"http"},
    "jwt": {"http"},
    "prometheus_client": {"http"},
    "rich": {"cli"},
    "ruamel": {"cli"},
    "segno": {"tools"},
    "starlette": {"http"},
    "tomlkit": {"cli"},
    "uvicorn": {"http"},
}
# The boundaries where every failure, foreseen or not, has to become an answer.
BLIND_EXCEPT_ALLOWED = {
    "voucher_mcp/tools/dispatch.py",
    "voucher_mcp/stores/opening.py",
    "voucher_mcp/stores/postgres/convoys.py",
    "voucher_mcp/stores/postgres/store.py",
    "voucher_mcp/stores/sqlite/writer.py",
    "voucher_mcp/backends/local/jobs/job_runner.py",
}
# What each backend's folder may hold: a room for each toolset, and what those share.
ROOMS = {
    "pools": "PoolTools",
    "vouchers": "VoucherTools",
    "redeemables": "RedeemableTools",
    "redemptions": "RedemptionTools",
    "jobs": "JobTools",
    "changes": "ChangeTools",
}
SHARED = {"client", "mapping", "records"}
MAX_LINES = 400
MAX_FILES = 12


@cache
def texts(folder: str) -> list[tuple[str, str]]:
    paths = sorted((ROOT / folder).rglob("*.py"))
    return [(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths]


@cache
def nodes(path: str, text: str) -> list[ast.AST]:
    return list(ast.walk(ast.parse(text, path)))


def sources(*folders: str) -> Iterator[tuple[str, str]]:
    """Each module's path from the root, with slashes, and its text."""
    for folder in folders:
        yield from texts(folder)


def part_of(module: str) -> str:
    """`voucher_mcp.tools.toolsets.pools` is of the part `tools`; the package itself is of no part, ``."""
    return module.partition(".")[2].partition(".")[0]


def part_of_path(path: str) -> str:
    return part_of(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))


def floor(part: str) -> int | None:
    return next((height for height, parts in enumerate(FLOORS) if part in parts), None)


def imports(path: str, text: str) -> Iterator[str]:
    """Full names of all modules that a module imports, anywhere in it, relative imports resolved."""
    for node in nodes(path, text):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            folder = path.split("/")[: -node.level] if node.level else []
            base = ".".join([*folder, *([node.module] if node.module else [])])
            # `from voucher_mcp import tools` imports a part, `from voucher_mcp import __version__` does not.
            names = [f"{PACKAGE}.{alias.name}" for alias in node.names if floor(alias.name) is not None]
            yield from (names or [base]) if base == PACKAGE else [base]


def is_blind(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"})
        for kind in caught
    )


def test_every_module_stands_on_a_floor() -> None:
    paths = [path for path, _ in sources(PACKAGE)]
    assert f"{PACKAGE}/__init__.py" in paths
    assert [path for path in paths if floor(part_of_path(path)) is None] == []


def test_imports_go_one_way() -> None:
    uphill = [
        f"{path} imports {name}"
        for path, text in sources(PACKAGE)
        for name in imports(path, text)
        if name.split(".")[0] == PACKAGE and (floor(part_of(name)) or 0) > (floor(part_of_path(path)) or 0)
    ]
    assert uphill == []


def modules_imported(path: str, text: str, modules: Collection[str]) -> Iterator[str]:
    """The modules of the package that a module imports, `from folder import module` too."""
    for node in nodes(path, text):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(PACKAGE):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in modules else node.module


def neighbours(folder: str, modules: Collection[str]) -> dict[str, set[str]]:
    """What each module or folder that lies directly in a folder imports of the others there."""
    inside = folder.replace("/", ".") + "."
    graph: dict[str, set[str]] = {}
    for path, text in sources(PACKAGE):
        if path.startswith(folder + "/"):
            child = path.removeprefix(folder + "/").partition("/")[0].removesuffix(".py")
            names = modules_imported(path, text, modules)
            used = {name.removeprefix(inside).partition(".")[0] for name in names if name.startswith(inside)}
            graph.setdefault(child, set()).update(used - {child})
    return graph


def rings(graph: dict[str, set[str]]) -> list[str]:
    """Those that import each other, in a ring however long."""
    reached = {one: set(others) for one, others in graph.items()}
    for _ in graph:
        for others in reached.values():
            others |= {further for other in tuple(others) for further in reached.get(other, ())}
    return sorted(one for one, others in reached.items() if one in others)


def test_imports_go_one_way_inside_each_folder_too() -> None:
    modules = {path.removesuffix(".py").replace("/", ".") for path, _ in sources(PACKAGE)}
    folders = {
        parent.as_posix() for path, _ in sources(PACKAGE) for parent in PurePosixPath(path).parents
    } - {"."}
    found = {folder: rings(neighbours(folder, modules)) for folder in sorted(folders)}
    assert {folder: ring for folder, ring in found.items() if ring} == {}


def backends() -> dict[str, list[str]]:
    """The backends' folders, each with the folders that lie directly in it."""
    adapters = sorted((ROOT / PACKAGE / "backends").glob("*/adapter.py"))
    return {
        path.parent.name: sorted(one.parent.name for one in path.parent.glob("*/__init__.py"))
        for path in adapters
    }


def test_every_backend_has_the_same_rooms() -> None:
    found = backends()
    assert found.keys() == {"local", "voucherify", "mews", "bloomreach"}
    assert ROOMS.keys() <= set(found["local"])
    strange = {name: set(folders) - ROOMS.keys() - SHARED for name, folders in found.items()}
    assert {name: folders for name, folders in strange.items() if folders} == {}


def test_the_tools_of_a_room_stand_in_its_tools_file_and_the_adapter_lists_them_in_order() -> None:
    for name, folders in backends().items():
        rooms = [room for room in ROOMS if room in folders]
        home = f"{PACKAGE}.backends.{name}"
        adapter = ast.parse((ROOT / PACKAGE / "backends" / name / "adapter.py").read_text(encoding="utf-8"))
        [backend] = [node for node in adapter.body if isinstance(node, ast.ClassDef)]
        assert [ast.unparse(base) for base in backend.bases] == [ROOMS[room] for room in rooms]
        imported = {
            alias.name: node.module
            for node in adapter.body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        for room in rooms:
            assert imported[ROOMS[room]] == f"{home}.{room}.{room.removesuffix('s')}_tools"


def test_a_folder_of_more_than_a_dozen_files_has_rooms() -> None:
    files = [path for path, _ in sources(PACKAGE) if not path.endswith("/__init__.py")]
    count = Counter(path.rpartition("/")[0] for path in files)
    assert {folder: number for folder, number in count.items() if number > MAX_FILES} == {}


def test_a_file_that_the_documents_name_is_there() -> None:
    homes = [ROOT, ROOT / PACKAGE, *(ROOT / PACKAGE / "backends" / name for name in backends())]
    documents = [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    named = {
        (document.name, path)
        for document in documents
        for path in re.findall(r"`([\w/]+/[\w.]+\.(?:py|sql))`", document.read_text(encoding="utf-8"))
    }
    assert named
    assert [one for one in sorted(named) if not any((home / one[1]).is_file() for home in homes)] == []


def test_a_library_is_imported_only_by_the_part_it_serves() -> None:
    astray = [
        f"{path} imports {name}"
        for path, text in sources(PACKAGE)
        for name in imports(path, text)
        if part_of_path(path) not in ONLY_IN.get(name.split(".")[0], {part_of_path(path)})
    ]
    assert astray == []


def test_every_module_is_short() -> None:
    lengths = {path: len(text.splitlines()) for path, text in sources(PACKAGE, "bench", "tests")}
    assert {path: lines for path, lines in lengths.items() if lines > MAX_LINES} == {}


def test_a_blind_except_stands_only_where_every_failure_becomes_an_answer() -> None:
    blind = [
        f"{path}:{node.lineno}"
        for path, text in sources(PACKAGE)
        if path not in BLIND_EXCEPT_ALLOWED
        for node in nodes(path, text)
        if isinstance(node, ast.ExceptHandler) and is_blind(node)
    ]
    assert blind == []
