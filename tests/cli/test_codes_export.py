"""`voucher-mcp codes export`, and what `codes import` makes of it."""

import csv
import io
import json
import os
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.conftest import Command
from tests.support import TEN_PERCENT, open_store, warrant
from voucher_mcp.backends.local.adapter import LocalBackend
from voucher_mcp.cli.codes.codes_export import export_codes
from voucher_mcp.domain.files.code_rows import CodeTable
from voucher_mcp.domain.files.life import Place
from voucher_mcp.domain.values.texts import composed, unstorable
from voucher_mcp.domain.vouchers.code_config import is_valid_code
from voucher_mcp.domain.vouchers.pool import NewCode

HEADER = "code,status,assigned_time,redeemed_time,customer_id,valid_from,valid_until,metadata"
FILE = 'code,valid_from,valid_until,region,note\nA1,2030-01-01,2031-01-01,EU,\nB2,,,,"x, ""y"""\n=C3,,,,\n'


def test_codes_come_out_with_status_times_and_metadata(cli: Command) -> None:
    cli.import_codes(cli.write("codes.csv", FILE), "--create", "--percent", "10")
    said = cli.export_codes()
    assert said.out.splitlines() == [
        HEADER,
        'A1,available,,,,2030-01-01T00:00:00.000Z,2031-01-01T23:59:59.999Z,"{""region"":""EU""}"',
        'B2,available,,,,,,"{""note"":""x, \\""y\\""""}"',
        "'=C3,available,,,,,,",
    ]
    assert 'Exported 3 codes of the pool "Summer"' in said.err


def test_only_one_status_comes_out_where_one_is_asked_for(cli: Command) -> None:
    cli.import_codes(cli.write("codes.csv", FILE), "--create", "--percent", "10")
    assert cli.export_codes("--status", "redeemed").out.splitlines() == [HEADER]
    assert len(cli.export_codes("--status", "available").out.splitlines()) == 4


def test_an_unknown_pool_leaves_an_older_file_as_it_was(cli: Command) -> None:
    cli.import_codes(cli.write("codes.csv", "A1\n"), "--create", "--percent", "10")
    cli.write("out.csv", "precious")
    assert 'no pool "Nowhere"' in cli.export_codes("--output", "out.csv", pool="Nowhere", status=1).err
    assert cli.read("out.csv") == "precious"


def test_a_file_takes_an_older_ones_place_when_it_is_whole(cli: Command) -> None:
    cli.import_codes(cli.write("codes.csv", "A1\n"), "--create", "--percent", "10")
    (cli.folder / "out.csv").touch(0o644)
    said = cli.export_codes("--output", "out.csv")
    assert said.out == ""
    assert cli.read("out.csv").splitlines() == [HEADER, "A1,available,,,,,,"]
    assert [path.name for path in cli.folder.glob("out.csv*")] == ["out.csv"]
    if os.name == "posix":
        assert stat.S_IMODE((cli.folder / "out.csv").stat().st_mode) == 0o600


def test_a_folder_that_cannot_take_the_file_is_an_error_with_a_sentence(cli: Command) -> None:
    cli.import_codes(cli.write("codes.csv", "A1\n"), "--create", "--percent", "10")
    assert "nowhere" in cli.export_codes("--output", "nowhere/out.csv", status=1).err


@pytest.mark.skipif(os.name != "posix", reason="SIGPIPE")
def test_a_reader_that_has_seen_enough_is_no_error(cli: Command) -> None:
    cli.import_codes(
        cli.write("codes.csv", "".join(f"CODE-{n}\n" for n in range(20_000))), "--create", "--percent", "10"
    )
    arguments = ("codes", "export", "--project", "default", "--pool", "Summer")
    with cli.start(*arguments, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline().startswith("code,")
        running.stdout.close()
        assert running.stderr.read() == ""
    assert running.returncode == 141


@pytest.mark.skipif(os.name != "posix", reason="signals of that kind")
def test_ctrl_c_ends_an_export_at_once_and_once(cli: Command) -> None:
    """Nobody reads any more, so that it waits in a write."""
    file = cli.write("codes.csv", "".join(f"CODE-{n}\n" for n in range(20_000)))
    cli.import_codes(file, "--create", "--percent", "10")
    arguments = ("codes", "export", "--project", "default", "--pool", "Summer")
    with cli.start(*arguments, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith("code,")
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=30) == 130
        assert running.stderr is not None
        assert running.stderr.read() == ""


@pytest.mark.skipif(os.name != "posix", reason="signals of that kind")
def test_ctrl_c_leaves_no_half_file(cli: Command) -> None:
    file = cli.write("codes.csv", "".join(f"CODE-{n}\n" for n in range(100_000)))
    cli.import_codes(file, "--create", "--percent", "10")
    arguments = ("codes", "export", "--project", "default", "--pool", "Summer", "--output", "out.csv")
    with cli.start(*arguments, stderr=subprocess.PIPE) as running:
        while running.poll() is None and not list(cli.folder.glob("out.csv*")):
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=30) == 130
        assert running.stderr is not None
        assert running.stderr.read() == ""
    assert not list(cli.folder.glob("out.csv*"))


@pytest.mark.skipif(os.name != "posix", reason="a terminal")
def test_an_export_to_a_terminal_has_no_bar_among_its_codes(cli: Command) -> None:
    import pty

    cli.import_codes(cli.write("codes.csv", "A1\nB2\n"), "--create", "--percent", "10")
    master, terminal = pty.openpty()
    try:
        environment = {**cli.environment, "TERM": "xterm"}
        line = cli.line("codes", "export", "--project", "default", "--pool", "Summer")
        done = subprocess.run(
            line, env=environment, cwd=cli.folder, stdout=terminal, stderr=terminal, timeout=60
        )
        out = os.read(master, 100_000).decode()
    finally:
        os.close(master)
        os.close(terminal)
    assert done.returncode == 0
    assert out.splitlines() == [
        HEADER,
        "A1,available,,,,,,",
        "B2,available,,,,,,",
        'Exported 2 codes of the pool "Summer".',
    ]


def test_a_read_only_project_is_exported(cli: Command) -> None:
    cli.import_codes(cli.write("codes.csv", "A1\n"), "--create", "--percent", "10")
    arguments = ("codes", "export", "--project", "default", "--pool", "Summer")
    assert "A1" in cli.run(*arguments, variables={"VOUCHER_MCP_READ_ONLY": "1"}).out


def test_an_export_imported_into_another_project_is_the_same_pool(cli: Command, tmp_path: Path) -> None:
    cli.import_codes(cli.write("codes.csv", FILE), "--create", "--percent", "10")
    cli.export_codes("--output", "out.csv")
    first = cli.read("out.csv")
    other = {"VOUCHER_MCP_DATABASE_URL": f"sqlite:///{tmp_path / 'other.db'}"}
    target = ("--project", "default", "--pool", "Summer")
    cli.run("codes", "import", "out.csv", *target, "--create", "--percent", "10", variables=other)
    again = cli.run("codes", "export", *target, variables=other)
    assert again.out == first


texts = st.text(st.characters(exclude_categories=["C"]), max_size=12).filter(
    lambda text: not unstorable(text)
)
codes = (st.text("'=+-@A,;\"", min_size=1, max_size=6) | texts).map(composed).filter(is_valid_code)
metadata = st.none() | st.dictionaries(
    texts.filter(bool),
    st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | texts, st.lists),
    min_size=1,
    max_size=3,
)
moments = st.none() | st.integers(-62135596800000, 253402300799999)


@given(st.lists(st.tuples(codes, moments, moments, metadata), unique_by=lambda row: row[0], max_size=8))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
async def test_whatever_is_exported_comes_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int | None, int | None, object]]
) -> None:
    wanted = [
        NewCode(code, *_ordered(start, end), None if extra is None else json.dumps(extra), None)
        for code, start, end, extra in rows
    ]
    async with open_store(tmp_path_factory.mktemp("trip") / "vouchers.db") as store:
        engine = LocalBackend("default", store)
        await engine.create_voucher_pool(warrant(), "Summer", TEN_PERCENT, wanted)
        file = io.StringIO()
        assert await export_codes(engine, "Summer", None, file, lambda *_: None) == len(rows)
    text = file.getvalue()
    assert not any(
        cell.startswith(("=", "+", "-", "@", "\t", "\r"))
        for row in csv.reader(io.StringIO(text))
        for cell in row
    )
    bad: list[object] = []
    blocks = [text.encode()]
    back = CodeTable.opened(blocks, {}, Place()).codes(blocks, {}, lambda *line: bad.append(line))
    assert [_plain(code) for code in back] == [_plain(code) for code in wanted]
    assert bad == []


def _ordered(start: int | None, end: int | None) -> tuple[int | None, int | None]:
    return (start, None) if start is not None and end is not None and end <= start else (start, end)


def _plain(code: NewCode) -> tuple[object, ...]:
    return (*code[:3], code.metadata and json.loads(code.metadata))
