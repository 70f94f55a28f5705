"""The page: its content, its size, and that the attached bundle is unchanged."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader
from pypdfium2 import PdfDocument

from registry.base.primitives import DatasetId
from registry.certificate import attachment
from registry.certificate.facts import Facts, Permission
from registry.certificate.page import ATTACHMENT, HEIGHT, MARGIN, WIDTH, render
from registry.certificate.typefaces import common_characters, common_path, path_of
from registry.rooms.datasets.messages import Source
from tests.certificate.codes import code_on, codes_on, command_on, words
from tests.certificate.facts import BUNDLE, FACTS, URL, address, digest
from tests.fixtures.tools import need_command
from tests.fixtures.waiting import wait_for_the_next_second

CROWDED = replace(
    FACTS,
    name="名" * 400,
    license="Licence " * 60,
    sources=tuple(Source(dataset_id=DatasetId(digest(f"source {n}")), version=n + 1) for n in range(32)),
    permissions=tuple(Permission(address(f"grantee {n}"), tuple("abcdefgh"), 2**48 - 1) for n in range(100)),
    withdrawn_because="错" * 500,
    trust=(FACTS.trust[0], "--chain-id 9007199254740991"),
    latest_version=16_777_215,
    size=2**53 - 1,
    files=1_000_000,
)
EMPTY = replace(
    FACTS, name=None, license=None, sources=(), permissions=(), files=None, size=None, claimant=FACTS.owner,
    is_complete=False,
)  # fmt: skip


def test_the_page_shows_every_fact() -> None:
    text = "".join(words(render(FACTS, BUNDLE, URL)).split())
    for expected in (
        "数据登记证书", "CERTIFICATEOFDATAREGISTRATION", "西雅图气象观测数据集(Seattleweather)", "有效ACTIVE",
        str(FACTS.dataset_id), str(FACTS.content_root), str(FACTS.owner), str(FACTS.claimant), str(FACTS.registry),
        "2026-11-2312:00:00UTC+08:00", "2026-11-2304:00:00UTC", "1,234", "2,048", str(FACTS.as_of_hash),
        "eip155:1337", "CC-BY-4.0", "12个文件", "3,456,789", "@3", "read", "2027-01-15",
    ):  # fmt: skip
        assert expected in text, expected


def test_a_withdrawn_dataset_is_marked_and_its_reason_shown() -> None:
    text = words(render(replace(FACTS, withdrawn_because="单位错误 wrong units"), BUNDLE, URL))
    assert "已撤回 WITHDRAWN" in text
    assert "单位错误 wrong units" in text
    assert text.count("WITHDRAWN") == 2  # The status, and the stamp across the page.
    assert words(render(FACTS, BUNDLE, URL)).count("WITHDRAWN") == 0


def test_a_version_that_is_not_the_latest_says_so() -> None:
    assert "SUPERSEDED BY VERSION 5" in words(render(replace(FACTS, latest_version=5), BUNDLE, URL))


def test_incomplete_evidence_is_not_called_complete() -> None:
    assert "that no event was left out" in " ".join(words(render(EMPTY, BUNDLE, URL)).split())


@pytest.mark.parametrize("facts", [FACTS, CROWDED, EMPTY], ids=["ordinary", "crowded", "empty"])
def test_everything_fits_on_one_page_within_its_margins(facts: Facts) -> None:
    text = PdfDocument(render(facts, BUNDLE, URL))[0].get_textpage()
    boxes = [text.get_charbox(place) for place in range(text.count_chars()) if text.get_text_range(place, 1).strip()]
    assert min(left for left, _, _, _ in boxes) >= MARGIN - 1
    assert max(right for _, _, right, _ in boxes) <= WIDTH - MARGIN + 1
    assert min(bottom for _, bottom, _, _ in boxes) > 36
    assert max(top for _, _, _, top in boxes) < HEIGHT - MARGIN


def test_the_same_facts_give_the_same_bytes_later() -> None:
    first = render(FACTS, BUNDLE, URL)
    wait_for_the_next_second()
    assert render(FACTS, BUNDLE, URL) == first


def test_another_reader_finds_the_bundle_under_its_name_unchanged() -> None:
    reader = PdfReader(io.BytesIO(render(FACTS, BUNDLE, URL)))
    assert reader.attachments == {ATTACHMENT: [BUNDLE]}


def test_the_bundle_is_read_back_as_it_went_in() -> None:
    assert attachment.read(render(FACTS, BUNDLE, URL)) == BUNDLE


def test_a_rare_character_is_taken_from_the_whole_typeface() -> None:
    rare = "𠮷野家 龘"
    assert path_of("serif", ["气象 weather"]) == common_path("serif")
    assert path_of("serif", [rare]) != common_path("serif")
    assert "龘" in words(render(replace(FACTS, name=rare), BUNDLE, URL))


def test_a_character_that_no_typeface_has_is_told_by_its_number() -> None:
    text = words(render(replace(FACTS, name="🦀蟹", license="\U0001f600 CC0"), BUNDLE, URL))
    assert "[U+1F980]蟹" in text
    assert "[U+1F600] CC0" in text


@pytest.mark.parametrize("name", ["\u202egnp.exe", "a\x00b\x1b[31m", "\ud800", "🦀 ڠ", "<b>&amp;", "\\() Tj ET"])
def test_a_hostile_name_makes_a_page_like_any_other(name: str) -> None:
    page = render(replace(FACTS, name=name, license=name, withdrawn_because=name), BUNDLE, URL)
    assert attachment.read(page) == BUNDLE
    assert "\u202e" not in words(page)


def test_the_common_characters_are_ascii_and_the_3755_of_gb2312_level_1() -> None:
    assert {"中", "国", "数", "据", "啊", "座", "A", "~"} <= common_characters()
    assert sum("\u4e00" <= char <= "\u9fff" for char in common_characters()) == 3755


@pytest.mark.parametrize("url", [URL, f"https://{'数据.' * 30}example/verify#{'0x' + '5e' * 32}@16777215"])
def test_the_code_leads_to_the_page_that_verifies(url: str) -> None:
    assert code_on(render(FACTS, BUNDLE, url)) == url


def test_without_an_address_that_others_reach_there_is_no_code_and_the_page_says_so() -> None:
    page = render(FACTS, BUNDLE, None)
    assert codes_on(page) == []
    text = words(page)
    assert "no public address" in text
    assert "Scan to verify" not in text
    assert "no public address" not in words(render(FACTS, BUNDLE, URL))
    assert attachment.read(page) == BUNDLE


def test_the_command_on_the_page_is_the_one_that_verifies_offline() -> None:
    assert command_on(render(FACTS, BUNDLE, URL)) == (
        f"tdr verify PATH --bundle certificate.pdf --block-hash {FACTS.as_of_hash}"
    )
    two = replace(FACTS, trust=(*FACTS.trust, "--chain-id 1337"))
    assert command_on(render(two, BUNDLE, URL)).endswith(f"--block-hash {FACTS.as_of_hash} --chain-id 1337")
    many = replace(FACTS, trust=FACTS.trust * 3)
    text = words(render(many, BUNDLE, URL))
    assert "tdr verify PATH --bundle certificate.pdf --rpc NODE" in text
    assert str(FACTS.as_of_hash) in text


def test_the_code_is_drawn_and_fonts_are_embedded(tmp_path: Path) -> None:
    need_command("pdftoppm", "Poppler is not installed. Install it: apt-get install poppler-utils")
    file = tmp_path / "certificate.pdf"
    file.write_bytes(render(FACTS, BUNDLE, URL))
    fonts = subprocess.run(["pdffonts", file], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
    assert len(fonts) == 2
    assert all(" yes yes yes " in line for line in fonts)
    done = subprocess.run(["pdftoppm", "-r", "40", file, tmp_path / "page"], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_the_committed_typefaces_are_cut_from_the_whole_ones() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.subset_fonts", "--check"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
