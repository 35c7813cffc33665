"""The sample data of the demo."""

from importlib.resources import files
from pathlib import Path

import pytest

from scripts.make_sample_data import make
from voucher_mcp.cli.codes.code_files import CodeFile
from voucher_mcp.cli.demo.shop import SAMPLES
from voucher_mcp.domain.files.life import Place


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Where the script has just put its files."""
    make(tmp_path)
    return tmp_path


def test_the_script_makes_the_files_that_are_shipped(made: Path) -> None:
    assert sorted(path.name for path in made.iterdir()) == sorted(sample.file for sample in SAMPLES)
    for path in made.iterdir():
        assert path.read_bytes() == (files("voucher_mcp.cli") / "sample" / path.name).read_bytes()


def test_every_line_of_the_samples_is_a_code_and_none_is_there_twice(made: Path) -> None:
    codes: list[str] = []
    bad: list[object] = []
    for path in made.iterdir():
        with CodeFile.opened(str(path)) as file:
            file.look_through(Place())
            codes += [code.value for code in file.codes(lambda *line: bad.append(line))]
    assert bad == []
    assert len(set(codes)) == len(codes) == 4_000
