"""The page at /verify, in a real browser, from a real gateway."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect, sync_playwright

from registry.base.canonical import metadata_hash
from registry.base.primitives import DatasetId
from registry.certificate.attachment import is_pdf
from registry.manifest import Manifest, hash_path
from tests.api.world import Gateway
from tests.conformance.second import VERIFIER
from tests.evidence.stories import VECTORS

METADATA = {"name": "企鹅 Penguins <b>&amp;", "license": "CC0-1.0"}
ARGUMENTS = [
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with Chinese names, and a file larger than the part that is read at once."""
    top = tmp_path_factory.mktemp("penguins")
    (top / "数据").mkdir()
    (top / "数据/企鹅.csv").write_text("嘴峰\n39.1\n")
    (top / "large.bin").write_bytes(bytes(range(256)) * 20_000)
    (top / "cafe\u0301.txt").write_text("NFD on disk")
    return top


@pytest.fixture(scope="module")
def dataset(gateway: Gateway, folder: Path) -> DatasetId:
    manifest: Manifest = hash_path(folder)
    message = gateway.registration(content_root=manifest.root, metadata_hash=metadata_hash(METADATA))
    gateway.settle(message, manifest=json.loads(manifest.to_json()), metadata=METADATA)
    return message.dataset_id


@pytest.fixture(scope="module")
def bundle(gateway: Gateway, dataset: DatasetId, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("bundle") / "penguins.tdr.json"
    file.write_bytes(gateway.http.get(f"/v1/datasets/{dataset}/evidence").raise_for_status().content)
    return file


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "Chromium is needed to test the page: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", *ARGUMENTS])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, gateway: Gateway) -> Iterator[Page]:
    """The page in English, which sends requests only to its gateway and logs no error."""
    context = browser.new_context(locale="en-GB", base_url=str(gateway.http.base_url))
    page: Page = context.new_page()
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto("/verify")
    yield page
    context.close()
    assert faults == []
    assert {url for url in asked if not url.startswith((str(gateway.http.base_url), "blob:"))} == set()


def pin(page: Page, bundle: Path) -> None:
    """Chooses to trust the block that the bundle ends with."""
    page.get_by_label("A block hash from another source").check()
    page.get_by_label("Block hashes, one per line").fill(json.loads(bundle.read_bytes())["record"]["block"]["hash"])


def verify(page: Page) -> None:
    page.get_by_role("button", name="Verify").click()
    expect(page.locator("#result h2").first).to_be_visible()


def drop(page: Page, zone: str, path: Path) -> None:
    """Drops a file or a folder, as a file manager does."""
    box = page.locator(f"[data-drop={zone}]").bounding_box()
    assert box
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + 12}
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, **place, "data": data})


@pytest.mark.parametrize("by", ["dropping", "choosing"])
def test_a_folder_that_is_the_dataset_is_verified(page: Page, bundle: Path, folder: Path, by: str) -> None:
    if by == "dropping":
        drop(page, "bundle", bundle)
        page.locator("[data-drop=files]").scroll_into_view_if_needed()
        drop(page, "files", folder)
    else:
        page.locator("#bundle").set_input_files(bundle)
        page.locator("#folder").set_input_files(folder)
    expect(page.locator("#bundle-state")).to_contain_text("vouch for block")
    pin(page, bundle)
    expect(page.locator("#files-state")).to_contain_text("3 files")
    verify(page)
    expect(page.locator(".banner")).to_contain_text("Verified")
    expect(page.locator(".banner")).to_contain_text("All 3 files are exactly what was registered.")
    expect(page.locator("dl")).to_contain_text(METADATA["name"])
    assert page.locator("dl b").count() == 0, "metadata became HTML"
    # All steps except that about access: the bundle shows none.
    assert page.locator(".steps li[data-kind=good]").count() == 10
    expect(page.locator(".steps li[data-kind=none]")).to_contain_text("the bundle has no data for this step")
    expect(page.locator(".unproven")).to_contain_text("That the content is true, lawful, or fit for any purpose.")


def test_one_file_is_verified_by_the_nodes_own_word(page: Page, bundle: Path, folder: Path) -> None:
    page.locator("#bundle").set_input_files(bundle)
    page.locator("#files").set_input_files(folder / "数据/企鹅.csv")
    expect(page.locator("#files-state")).to_contain_text("1 file,")
    verify(page)
    expect(page.locator(".banner")).to_contain_text("The file is exactly what was registered.")
    expect(page.locator(".unproven")).to_contain_text("by any authority other than this registry itself")
    expect(page.locator(".unproven")).to_contain_text("Anything about the 2 files of the dataset that were not given.")


def test_contracts_of_the_registry_that_evidence_does_not_show_are_passed_over(
    page: Page, bundle: Path, folder: Path
) -> None:
    """A room without evidence, or one that this verifier does not know, has a contract too."""

    def with_another(route: Route) -> None:
        response = route.fetch()
        deployment = response.json()
        deployment["contracts"]["Notices"] = {"address": f"0x{9:040x}", "blockNumber": 9}
        route.fulfill(response=response, json=deployment)

    page.route("**/v1/deployment", with_another)
    page.locator("#bundle").set_input_files(bundle)
    page.locator("#files").set_input_files(folder / "数据/企鹅.csv")
    verify(page)
    expect(page.locator(".banner")).to_contain_text("The file is exactly what was registered.")


def test_a_changed_file_and_a_missing_and_an_extra_one_are_named(
    page: Page, bundle: Path, folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "数据/企鹅.csv").write_text("嘴峰\n39.2\n")
    (copy / "large.bin").rename(copy / "other.bin")
    page.locator("#bundle").set_input_files(bundle)
    pin(page, bundle)
    page.locator("#folder").set_input_files(copy)
    verify(page)
    expect(page.locator(".banner")).to_contain_text("Different")
    rows = page.locator("table tr")
    expect(rows).to_have_count(4)
    expect(rows.filter(has_text="数据/企鹅.csv")).to_contain_text(sha256("嘴峰\n39.2\n".encode()).hexdigest())
    expect(rows.filter(has_text="large.bin")).to_contain_text("missing")
    expect(rows.filter(has_text="other.bin")).to_contain_text("not in the dataset")


def test_a_forged_bundle_is_refused_at_the_step_that_fails(page: Page, bundle: Path, tmp_path: Path) -> None:
    forged = tmp_path / "forged.tdr.json"
    forged.write_bytes(bundle.read_bytes().replace(b'"withdrawn":false', b'"withdrawn":true'))
    page.locator("#bundle").set_input_files(forged)
    pin(page, bundle)
    verify(page)
    expect(page.locator(".banner")).to_contain_text("Step 9, record, failed.")


@pytest.mark.parametrize(
    "content", [b"{}", b"", b"\xff", b"[" * 100_000, b"%PDF-1.7 nothing"], ids=["{}", "", "bytes", "deep", "pdf"]
)
def test_what_is_no_bundle_is_refused(page: Page, content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.tdr.json"
    file.write_bytes(content)
    page.locator("#bundle").set_input_files(file)
    expect(page.locator(".banner h2")).to_be_visible()
    expect(page.get_by_role("button", name="Verify")).to_be_disabled()


def test_the_code_on_a_certificate_leads_to_its_dataset(page: Page, gateway: Gateway, dataset: DatasetId) -> None:
    page.goto("about:blank")
    page.goto(f"/verify#{dataset}@1")
    expect(page.locator("#bundle-state")).to_contain_text("vouch for block")
    verify(page)
    expect(page.locator(".banner")).to_contain_text("Verified")


def test_the_bundle_is_taken_out_of_a_certificate(
    page: Page, gateway: Gateway, dataset: DatasetId, tmp_path: Path
) -> None:
    certificate = gateway.http.get(f"/v1/datasets/{dataset}/certificate.pdf").raise_for_status().content
    assert is_pdf(certificate)
    file = tmp_path / "certificate.pdf"
    file.write_bytes(certificate)
    page.locator("#bundle").set_input_files(file)
    expect(page.locator("#bundle-state")).to_contain_text("vouch for block")
    verify(page)
    expect(page.locator(".banner")).to_contain_text("Verified")


def test_the_page_speaks_chinese(page: Page, bundle: Path) -> None:
    page.get_by_role("button", name="中文").click()
    expect(page.locator("h1")).to_have_text("核验证据")
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    page.locator("#bundle").set_input_files(bundle)
    page.get_by_role("button", name="开始核验").click()
    expect(page.locator(".banner")).to_contain_text("核验通过")
    expect(page.locator(".unproven")).to_contain_text("内容是否真实、合法或适合任何用途。")
    page.get_by_role("button", name="English").click()
    expect(page.locator(".banner")).to_contain_text("Verified")


def test_the_page_may_load_nothing_from_elsewhere(gateway: Gateway) -> None:
    for path, kind in (
        ("/verify", "text/html"),
        ("/verify/page.mjs", "text/javascript"),
        ("/verify/style.css", "text/css"),
    ):
        answer = gateway.http.get(path)
        assert answer.headers["content-type"].startswith(kind)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"
        )
    assert gateway.http.get("/verify/cli.mjs").status_code == 404
    assert gateway.http.get("/verify/..%2f__init__.py").status_code == 404


def vector(name: str) -> tuple[Path, dict[str, Any]]:
    """A committed bundle, and what it holds."""
    file = VECTORS / f"bundles/{name}.tdr.json"
    return file, json.loads(file.read_bytes())


def fact(page: Page, term: str) -> str:
    """What the page says of the dataset under a term."""
    return page.locator(f"dl dt:text-is('{term}') + dd").inner_text()


def test_an_older_version_of_a_withdrawn_dataset_is_never_green(page: Page) -> None:
    """U3, U4, U11: number, root and registrant are those of the version that the bundle shows, and the headline says
    what became of it."""
    file, document = vector("withdrawn")
    first, second = [one for one in document["record"]["events"] if one["event"] in ("Registered", "Revised")]
    page.locator("#bundle").set_input_files(file)
    pin(page, file)
    verify(page)
    banner = page.locator(".banner")
    expect(banner.locator("h2")).to_have_text(re.compile("^Verified, but version 1 of 2 and withdrawn on 2026-"))
    expect(banner).to_have_attribute("data-kind", "warning")
    expect(banner).to_contain_text("No files were given: no content was compared.")
    amber = banner.evaluate("one => getComputedStyle(one).backgroundColor")
    assert amber == "rgb(253, 242, 217)"
    assert fact(page, "Version") == "1 of 2"
    assert fact(page, "Content root") == first["values"]["contentRoot"] != second["values"]["contentRoot"]
    assert fact(page, "Registered by") == first["values"]["owner"]
    assert fact(page, "Registered").endswith(f"UTC, block {first['block']}")
    assert fact(page, "Current owner") == document["record"]["dataset"]["owner"] != first["values"]["owner"]
    assert fact(page, "Status").startswith("withdrawn on 2026-")
    expect(page.locator(".unproven")).to_contain_text("none was given, so no content was compared")


def test_the_first_owner_is_shown_where_another_registered_the_version(page: Page) -> None:
    file, document = vector("granted")
    page.locator("#bundle").set_input_files(file)
    pin(page, file)
    verify(page)
    expect(page.locator(".banner h2")).to_have_text("Verified")
    assert fact(page, "Version") == "2 of 2 (the latest)"
    assert fact(page, "Content root") == document["record"]["dataset"]["contentRoot"]


def test_rights_term_and_state_of_each_grantee_are_shown(page: Page) -> None:
    """U5: a revoked grant is not shown like one in force."""
    file, document = vector("withdrawn")
    page.locator("#bundle").set_input_files(file)
    pin(page, file)
    verify(page)
    states = dict(
        zip(
            [one["grantee"] for one in document["record"]["access"]],
            page.locator("ul.access li").all_inner_texts(),
            strict=True,
        )
    )
    for one in document["record"]["access"]:
        said = states[one["grantee"]]
        assert said.startswith(f"{one['grantee']}: {'revoked' if one['revoked'] else 'in force'}; read, derive")
        assert (", ended 2026-" in said) == one["revoked"]
        assert "; from 2026-" in said
    page.get_by_role("button", name="中文").click()
    expect(page.locator("ul.access")).to_contain_text("已撤销；读取、衍生；自 2026-")
    expect(page.locator(".banner h2")).to_have_text(
        re.compile("^核验通过，但这是第 1 版，共 2 版，且已于 2026-.* 撤回$")
    )


def test_refusals_are_in_the_language_of_the_page(page: Page, bundle: Path, tmp_path: Path) -> None:
    """U15: the common reasons by their code, all others by the step that failed."""
    page.get_by_role("button", name="中文").click()
    page.locator("#bundle").set_input_files(bundle)
    page.locator("[name=trust][value=hashes]").check()
    page.locator("#hashes").fill(f"0x{'00' * 32}")
    page.locator("#go").click()
    expect(page.locator(".banner")).to_contain_text("第 3 步“信任”未通过")
    expect(page.locator("#result")).to_contain_text("但它不在您提供的哈希之中")
    forged = tmp_path / "forged.tdr.json"
    forged.write_bytes(bundle.read_bytes().replace(b'"withdrawn":false', b'"withdrawn":true'))
    page.locator("#bundle").set_input_files(forged)
    page.locator("#hashes").fill(json.loads(bundle.read_bytes())["record"]["block"]["hash"])
    page.locator("#go").click()
    expect(page.locator("#result")).to_contain_text("证据包所载的记录与其事件不符。")
    assert page.locator("#result .detail").get_attribute("lang") == "en"
    (tmp_path / "empty.pdf").write_bytes(b"%PDF-1.7 nothing")
    page.locator("#bundle").set_input_files(tmp_path / "empty.pdf")
    expect(page.locator("#result")).to_contain_text("这份 PDF 附有 0 份")


def test_every_reason_of_a_refusal_has_a_chinese_text() -> None:
    """U15: a code without a text would fail only when it is met."""
    sources = "".join(file.read_text() for file in sorted(VERIFIER.glob("*.mjs")) if file.name != "sentences.mjs")
    kinds = set(re.findall(r'\{ kind: "(\w+)"', sources))
    texts = (VERIFIER / "sentences.mjs").read_text()
    assert {kind for kind in kinds if not re.search(rf"^ +{kind}: \(", texts, re.MULTILINE)} == set()
