"""Names that print alike or not at all: their error says which bytes or characters they are, and what to do."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from registry.base.errors import InvalidInput
from registry.manifest import hash_path


def refusal(folder: Path) -> InvalidInput:
    with pytest.raises(InvalidInput) as refused:
        hash_path(folder)
    return refused.value


def test_twins_in_nfc_and_nfd_are_spelled_out(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "\u00e9.csv").write_text("1")
    (tmp_path / "sub" / "e\u0301.csv").write_text("2")
    message = refusal(tmp_path).message
    assert r"'sub/\xe9.csv' (NFC)" in message
    assert r"'sub/e\u0301.csv' (NFD)" in message


def test_a_name_in_gbk_is_shown_and_how_to_convert_it(tmp_path: Path) -> None:
    command = ["iconv", "-f", "UTF-8", "-t", "GBK"]
    name = subprocess.run(command, input="数据.csv".encode(), check=True, stdout=subprocess.PIPE).stdout
    (tmp_path / os.fsdecode(name)).write_text("1")
    error = refusal(tmp_path)
    assert r"\xca\xfd\xbe\xdd.csv" in error.message
    assert "in GBK it reads '数据.csv'" in error.message
    assert "convmv -r -f gbk -t utf8" in error.hint
    assert str(error).isprintable()


@pytest.mark.parametrize("name", [b"\xff\xfe", b"caf\xe9.csv", b"\x80\x80"])
def test_a_name_that_is_not_gbk_either_is_shown_by_its_bytes(tmp_path: Path, name: bytes) -> None:
    (tmp_path / os.fsdecode(name)).write_text("1")
    message = refusal(tmp_path).message
    assert "GBK" not in message
    assert name.decode("ascii", "backslashreplace") in message
