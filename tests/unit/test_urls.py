"""URLs that people give."""

from __future__ import annotations

import pytest

from registry.base.errors import InvalidInput
from registry.base.urls import leads_to_this_machine, parse_http_url
from registry.chain.rpc import RpcChain
from registry.cli.rooms.datasets.watching import checked_webhook
from registry.config import without_secrets
from registry.sdk.client import Client

MALFORMED = [
    "",
    "nonsense",
    "http://",
    "http://[::1",
    "http://127.0.0.1:abc",
    "http://127.0.0.1:99999",
    "http://127.0.0.1:0",
    "http://127.0.0.1:-1",
    "http://h\x01",
    "http://h/\x01",
    "http://a..b",
    f"http://{'a' * 64}",
    "http://h\udcff",
    "http://h/\udcff",
]
SECRET = [
    "ftp://user:s3cretpw@h",
    "http://user:s3cretpw@[::1",
    "http://user:s3cretpw@h:abc",
    "http://user:a/s3cretpw@h:abc",
    "http://user:a#s3cretpw?@h:abc",
    "user:s3cretpw@h",
    "user:s3cretpw://@h:1",
    "http:/user:s3cretpw@h",
    "ftp://h/s3cretpw",
    "ftp://h?key=s3cretpw",
    "http://h:abc#s3cretpw",
]


def refuse(url: str) -> list[str]:
    said = []
    for takes in (Client, lambda given: RpcChain([given]), checked_webhook):
        with pytest.raises(InvalidInput, match="must be http:// or https:// and a host") as caught:
            takes(url)  # type: ignore[operator]
        assert caught.value.__cause__ is None
        said.append(str(caught.value))
    return said


@pytest.mark.parametrize("url", MALFORMED)
def test_what_is_no_url_of_the_web_is_refused(url: str) -> None:
    refuse(url)


@pytest.mark.parametrize("url", SECRET)
def test_a_refused_url_is_told_without_what_may_be_secret(url: str) -> None:
    """R10: no password, no access key in errors."""
    assert not [line for line in refuse(url) if "s3cretpw" in line]


def test_of_a_refused_url_the_host_is_told() -> None:
    with pytest.raises(InvalidInput, match=r"'ftp://\*\*\*@host:21'"):
        parse_http_url("ftp://user:password@host:21/a?b#c", "A gateway's")


@pytest.mark.parametrize(
    "url",
    [
        "http://h",
        "https://user:pw@h:8443/a/b",
        "http://[::1]:8000",
        "http://例え.jp/",
        "http://h:65535",
        "HTTP://H",
    ],
)
def test_urls_of_the_web_are_taken(url: str) -> None:
    assert parse_http_url(url, "A gateway's").hostname
    Client(url).close()
    RpcChain([url]).close()
    assert checked_webhook(url) == url


@pytest.mark.parametrize("url", ["https://u:s3cretpw@h/a?key=s3cretpw", "http://h#s3cretpw"])
def test_a_query_is_for_nodes_and_webhooks_only(url: str) -> None:
    RpcChain([url]).close()
    assert checked_webhook(url) == url
    with pytest.raises(InvalidInput, match="at h has a query or a fragment") as caught:
        Client(url)
    assert "s3cretpw" not in str(caught.value)


def test_settings_with_a_malformed_url_are_shown_without_it() -> None:
    """R10."""
    assert "s3cretpw" not in without_secrets("http://user:s3cretpw@[::1")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/",
        "http://127.8.8.8/",
        "http://localhost:8000/",
        "http://LOCALHOST./x",
        "http://node.localhost/",
        "http://0.0.0.0:8000",
        "http://[::1]:8000/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::1%25lo]/",
    ],
)
def test_an_address_of_the_machine_itself_leads_others_nowhere(url: str) -> None:
    assert leads_to_this_machine(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://registry.example/data/",
        "http://192.168.1.7:8000/",
        "http://[2001:db8::1]/",
        "http://localhost.example/",
        "http://notlocalhost/",
        "http://128.0.0.1/",
        "https://www.w3.org/ns/credentials/v2",
        "http://[::1/",
        "",
    ],
)
def test_any_other_address_may_lead_somewhere(url: str) -> None:
    assert not leads_to_this_machine(url)
