"""Render the certificate as one A4 page in Chinese and English, with the evidence bundle attached.

The same facts, bundle and link give the same bytes. Fonts are embedded, so it looks the same everywhere. The file is
PDF/A-3, the archive format that allows attachments.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta, timezone
from hashlib import sha256
from typing import Final

from fpdf.enums import Align, AssociatedFileRelationship

from registry.base.times import LAST_SECOND, utc_datetime
from registry.certificate import wording
from registry.certificate.facts import Facts
from registry.certificate.layout import (
    ACCENT,
    ALARM,
    FAINT,
    GOLD,
    HEIGHT,
    INK,
    MARGIN,
    SOFT,
    STAMP,
    VALUE_LEFT,
    VALUE_WIDTH,
    WIDTH,
    Page,
    draw_caption,
    draw_code,
    draw_frame,
    plain,
    xmp_of,
)
from registry.certificate.typefaces import Family
from registry.rooms.datasets.messages import CONTRACT, Source

ATTACHMENT: Final = "evidence.tdr.json"

CHINA: Final = timezone(timedelta(hours=8))
MAX_LISTED: Final = 3
MAX_OPTIONS: Final = 2


def render(facts: Facts, bundle: bytes, verify_url: str | None) -> bytes:
    """Return the certificate.

    Args:
        facts: The facts that it states.
        bundle: The evidence bundle that the facts are of, as it was issued.
        verify_url: The address in the QR code; None for a page without a code, with a note instead.

    Returns:
        The PDF file.
    """
    made = utc_datetime(facts.as_of.time)
    identifier = sha256(bundle + (verify_url or "").encode()).hexdigest()[:32].upper()
    texts: dict[Family, Sequence[str]] = {
        "serif": [plain(facts.name or "")],
        "sans": [plain(text or "") for text in (facts.license, facts.withdrawn_because)],
    }
    page = Page(identifier, texts)
    title = f"{wording.TITLE} {facts.dataset_id}"
    page.set_creation_date(made)
    page.set_title(title)
    page.set_lang("zh-CN")
    page.set_producer("tdr")
    page.set_xmp_metadata(xmp_of(title, made))
    page.add_page()
    draw_frame(page)
    if facts.is_withdrawn:
        _stamp(page)
    _heading(page, facts)
    bottom = _rows(page, facts, top=292)
    _foot(page, facts, verify_url, top=max(bottom + 14, 634))
    page.embed_file(
        bytes=bundle,
        basename=ATTACHMENT,
        mime_type="application/json",
        modification_date=made,
        creation_date=made,
        desc="Evidence bundle (tdr-evidence/1)",
        associated_file_relationship=AssociatedFileRelationship.DATA.value,
        compress=True,
    )
    return bytes(page.output())


def _heading(page: Page, facts: Facts) -> None:
    page.ink(ACCENT)
    page.set_font("serif", size=34)
    page.set_char_spacing(7)
    chinese, english = wording.HEADING
    page.text((WIDTH - page.get_string_width(chinese) + 7) / 2, 108, chinese)
    page.set_char_spacing(2.4)
    page.set_font("serif", size=11)
    page.ink(GOLD)
    page.text((WIDTH - page.get_string_width(english) + 2.4) / 2, 131, english)
    page.set_char_spacing(0)
    page.set_draw_color(*GOLD)
    page.set_line_width(0.6)
    page.line(WIDTH / 2 - 74, 147, WIDTH / 2 - 8, 147)
    page.line(WIDTH / 2 + 8, 147, WIDTH / 2 + 74, 147)
    page.set_fill_color(*GOLD)
    page.polygon([(WIDTH / 2, 143.6), (WIDTH / 2 + 3.4, 147), (WIDTH / 2, 150.4), (WIDTH / 2 - 3.4, 147)], style="F")
    page.ink(SOFT)
    page.set_font("sans", size=9.5)
    chinese, english = wording.STATEMENT
    page.centred(176, chinese)
    page.set_font("sans", size=8)
    page.centred(190, english)
    page.ink(INK)
    name = plain(facts.name or "").strip() or "未附名称 · Name not attached"
    shown = page.fitting(name, "serif", (24, 21, 18, 16, 14), WIDTH - 2 * MARGIN - 10)
    page.centred(233, shown)
    page.set_font("sans", size=9)
    page.ink(ALARM if facts.is_withdrawn else ACCENT)
    page.centred(255, _status(facts))


def _stamp(page: Page) -> None:
    """Print a stamp across the page of a withdrawn dataset, so that it is not mistaken for an active one."""
    page.set_font("serif", size=48)
    page.set_text_color(*STAMP)
    text = "已撤回 WITHDRAWN"
    with page.rotation(38, WIDTH / 2, HEIGHT / 2):
        page.text((WIDTH - page.get_string_width(text)) / 2, HEIGHT / 2, text)
    page.ink(INK)


def _status(facts: Facts) -> str:
    as_of = f"截至区块 {facts.as_of.number:,} · as of block {facts.as_of.number:,}"
    if facts.is_withdrawn:
        return f"已撤回 WITHDRAWN    {as_of}"
    if facts.version < facts.latest_version:
        return f"有效，另有更新版本 ACTIVE, SUPERSEDED BY VERSION {facts.latest_version}    {as_of}"
    return f"有效 ACTIVE    {as_of}"


def _rows(page: Page, facts: Facts, top: float) -> float:
    y = top
    for (chinese, english), lines in _entries(facts):
        page.set_draw_color(*FAINT)
        page.set_line_width(0.5)
        page.line(MARGIN, y - 15, WIDTH - MARGIN, y - 15)
        page.ink(INK)
        page.set_font("sans", size=9)
        page.text(MARGIN, y, chinese)
        page.ink(SOFT)
        page.set_font("sans", size=7)
        page.text(MARGIN, y + 9.5, english)
        page.ink(INK)
        for number, line in enumerate(lines):
            _value(page, y + 3 + number * 12.5 - (3 if len(lines) > 1 else 0), line)
        y += 30 + max(0, len(lines) - 1) * 12.5 - (4 if len(lines) > 1 else 0)
    page.set_draw_color(*FAINT)
    page.line(MARGIN, y - 15, WIDTH - MARGIN, y - 15)
    return y - 15


def _entries(facts: Facts) -> list[tuple[wording.Label, list[str]]]:
    entries = [
        (wording.DATASET_ID, [str(facts.dataset_id)]),
        (wording.CONTENT_ROOT, [str(facts.content_root)]),
        (wording.VERSION, [_version(facts)]),
        (wording.OWNER, _owners(facts)),
        (wording.REGISTERED, [_time(facts.registered.time)]),
        (wording.ON_CHAIN, [_place(facts), f"合约 {CONTRACT} {facts.registry}"]),
    ]
    if facts.files is not None:
        size = "" if facts.size is None else f" · {facts.size:,} 字节 bytes"
        entries.append((wording.CONTENT, [f"{facts.files:,} 个文件 files{size}"]))
    if facts.license:
        entries.append((wording.LICENCE, [plain(facts.license)]))
    entries.append((wording.DERIVED_FROM, _sources(facts.sources)))
    entries.append((wording.ACCESS, _permissions(facts)))
    if facts.withdrawn_because is not None:
        entries.append((wording.WITHDRAWN_BECAUSE, [plain(facts.withdrawn_because) or "未说明 · not stated"]))
    return entries


def _value(page: Page, y: float, text: str) -> None:
    """Print a value on one line. Hashes and addresses are spaced, to be compared by eye."""
    if text.startswith("0x") and " " not in text:
        page.set_font("sans", size=9)
        page.set_char_spacing(0.5)
        page.text(VALUE_LEFT, y, text)
        page.set_char_spacing(0)
        return
    page.text(VALUE_LEFT, y, page.fitting(text, "sans", (9.5, 9, 8.5, 8), VALUE_WIDTH))


def _version(facts: Facts) -> str:
    if facts.version == facts.latest_version:
        return f"{facts.version}（最新 latest）"
    return f"{facts.version}（共 {facts.latest_version} 版 of {facts.latest_version}）"


def _owners(facts: Facts) -> list[str]:
    if facts.owner == facts.claimant:
        return [str(facts.owner)]
    return [str(facts.owner), f"登记时 when registered: {facts.claimant}"]


def _time(seconds: int) -> str:
    moment = utc_datetime(min(seconds, LAST_SECOND - 28_800))
    return f"{moment.astimezone(CHINA):%Y-%m-%d %H:%M:%S} UTC+08:00（{moment:%Y-%m-%d %H:%M:%S} UTC）"


def _date(seconds: int) -> str:
    return f"{utc_datetime(seconds):%Y-%m-%d %H:%M} UTC"


def _place(facts: Facts) -> str:
    return f"链 chain eip155:{facts.chain_id} · 区块 block {facts.registered.number:,}"


def _sources(sources: tuple[Source, ...]) -> list[str]:
    lines = [f"{str(one.dataset_id)[:26]}…{str(one.dataset_id)[-8:]} @ {one.version}" for one in sources[:MAX_LISTED]]
    return _limited(lines, len(sources)) or ["无 None stated"]


def _permissions(facts: Facts) -> list[str]:
    lines = [
        f"{str(one.grantee)[:8]}…{str(one.grantee)[-6:]}  {_rights(one.rights)}  至 until {_date(one.until)}"
        for one in facts.permissions[:MAX_LISTED]
    ]
    total = len(facts.permissions) + facts.further
    return _limited(lines, total) if lines else [f"{total} 项 grants" if total else "无 None"]


def _rights(names: tuple[str, ...]) -> str:
    return ", ".join(f"{wording.RIGHTS[name]} {name}" if name in wording.RIGHTS else name for name in names)


def _limited(lines: list[str], total: int) -> list[str]:
    more = total - len(lines)
    return lines if not more else [*lines[:-1], f"{lines[-1]}   另有 and {more} 项 more"]


def _foot(page: Page, facts: Facts, verify_url: str | None, top: float) -> None:
    side = 92.0
    if verify_url is None:
        _no_code(page, MARGIN, top, side)
    else:
        draw_code(page, verify_url, MARGIN, top, side)
        draw_caption(page, "扫码核验 Scan to verify", MARGIN, top + side + 11, side)
    left = MARGIN + side + 22
    width = WIDTH - MARGIN - left
    page.set_xy(left, top - 2)
    for size, leading, colour, text in (
        (8.6, 12.5, INK, "本页所载均取自随附的证据文件，可离线核验，无需信任任何网关："),
        (
            7.4,
            10.5,
            SOFT,
            "All of this is taken from the attached evidence, which verifies offline and needs no gateway:",
        ),
        *((7.0, 10.5, ACCENT, line) for line in _command(facts.trust)),
        (
            6.4,
            9.5,
            SOFT,
            "区块哈希应与您信任的节点或见证核对 · Compare block hashes with a node or a witness that you trust.",
        ),
        (7.4, 11.0, SOFT, _proven(facts)[0]),
        (7.0, 10.0, SOFT, _proven(facts)[1]),
        (7.0, 13.0, SOFT, f"截至区块 As of block {facts.as_of.number:,} · {_time(facts.as_of.time)}"),
        *([] if _fits(facts.trust) else [(6.4, 9.5, SOFT, str(facts.as_of_hash))]),
    ):
        page.set_font("sans", size=size)
        page.ink(colour)
        page.set_x(left)
        page.multi_cell(width, leading, text, align=Align.L)


def _fits(trust: tuple[str, ...]) -> bool:
    """Return whether the options for offline verification fit on the page: a bundle may need many blocks."""
    return 0 < len(trust) <= MAX_OPTIONS


def _command(trust: tuple[str, ...]) -> list[str]:
    """Return the lines of the command that verifies the file."""
    if not _fits(trust):
        return ["tdr verify PATH --bundle certificate.pdf --rpc NODE"]
    return ["tdr verify PATH --bundle certificate.pdf \\", *(f"{option} \\" for option in trust[:-1]), trust[-1]]


def _no_code(page: Page, x: float, y: float, side: float) -> None:
    """Print a note in place of the QR code: the gateway has no public address."""
    page.set_draw_color(*FAINT)
    page.rect(x, y, side, side)
    for number, line in enumerate(("签发网关无公开网址", "The issuing gateway has", "no public address")):
        draw_caption(page, line, x, y + 38 + 12 * number, side)


def _proven(facts: Facts) -> tuple[str, str]:
    return wording.COMPLETE if facts.is_complete else wording.INCOMPLETE
