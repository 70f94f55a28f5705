"""Settings: the precedence of sources, refused values, and secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.base.errors import InvalidInput
from registry.base.primitives import Address
from registry.config import load


def test_defaults_need_nothing() -> None:
    configuration = load({}, {})
    assert (configuration.settings.port, configuration.sources["port"]) == (8000, "default")
    assert configuration.settings.database.startswith("sqlite:////")


def test_a_flag_beats_the_environment_which_beats_the_file(tmp_path: Path) -> None:
    file = tmp_path / "tdr.toml"
    file.write_text('port = 1\nhost = "file"\nlog_level = "debug"\n')
    environment = {"TDR_CONFIG": str(file), "TDR_PORT": "2", "TDR_HOST": "environment"}
    configuration = load({"port": 3, "host": None}, environment)
    settings = configuration.settings
    assert (settings.port, settings.host, settings.log_level) == (3, "environment", "debug")
    sources = configuration.sources
    assert (sources["port"], sources["host"], sources["log_level"]) == ("flag", "TDR_HOST", str(file))


def test_lists_and_choices_are_read_from_the_environment() -> None:
    settings = load({}, {"TDR_RPC_URLS": "http://a, http://b", "TDR_FINALITY": "12"}).settings
    assert settings.rpc_urls == ("http://a", "http://b")
    assert settings.finality == 12
    assert load({}, {"TDR_FINALITY": "finalized"}).settings.finality == "finalized"
    assert load({}, {"TDR_PUBLIC_URL": "https://r.example/data"}).settings.public_url == "https://r.example/data/"


def test_contracts_are_given_by_name_in_the_environment_and_in_a_file(tmp_path: Path) -> None:
    first, second = Address(b"\x11" * 20), Address(b"\x22" * 20)
    told = load({}, {"TDR_CONTRACTS": f"DatasetRegistry=0x{'11' * 20}, AccessGrants = 0x{'22' * 20}"})
    assert told.settings.contracts == {"DatasetRegistry": first, "AccessGrants": second}
    assert [item.value for item in told.shown() if item.name == "contracts"] == [
        f"DatasetRegistry={first},AccessGrants={second}"
    ]
    file = tmp_path / "tdr.toml"
    file.write_text(f'[contracts]\nAccessGrants = "{second}"\n')
    assert load({}, {"TDR_CONFIG": str(file)}).settings.contracts == {"AccessGrants": second}
    assert load({}, {}).settings.contracts == {}


@pytest.mark.parametrize(
    "environment",
    [
        {"TDR_PORT": "eighty"},
        {"TDR_PUBLIC_URL": "registry.example.org"},
        {"TDR_PUBLIC_URL": "ftp://registry.example.org"},
        {"TDR_PUBLIC_URL": "https://me@registry.example.org"},
        {"TDR_PUBLIC_URL": "https://registry.example.org/?a=b"},
        {"TDR_PORT": "70000"},
        {"TDR_FINALITY": "soon"},
        {"TDR_CONTRACTS": "DatasetRegistry=0x12"},
        {"TDR_CONTRACTS": "0x12"},
        {"TDR_CONTRACTS": f"A=0x{'11' * 20},A=0x{'22' * 20}"},
        {"TDR_LOG_LEVEL": "loud"},
        {"TDR_BOUND_SECONDS": "0"},
    ],
)
def test_a_malformed_setting_is_refused_and_named_with_its_source(environment: dict[str, str]) -> None:
    (variable,) = environment
    with pytest.raises(InvalidInput, match=variable):
        load({}, environment)


def test_an_unknown_setting_in_the_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "tdr.toml"
    file.write_text("prot = 1\n")
    with pytest.raises(InvalidInput, match="prot"):
        load({}, {"TDR_CONFIG": str(file)})


@pytest.mark.parametrize("content", [None, "port ="])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "tdr.toml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InvalidInput, match="settings file"):
        load({}, {"TDR_CONFIG": str(file)})


def test_secrets_are_masked_where_settings_are_shown() -> None:
    """R10: neither a password nor an access key in a URL is shown."""
    environment = {
        "TDR_DATABASE_URL": "postgresql://tdr:canary-1@db/registry?password=canary-2",
        "TDR_RPC_URLS": "https://user:canary-3@node.example/v3/canary-4?key=canary-5,http://127.0.0.1:8545",
    }
    configuration = load({}, environment)
    shown = {setting.name: setting.value for setting in configuration.shown()}
    assert "canary" not in str(shown)
    assert "canary" not in repr(configuration.settings.database_url)
    assert shown["database_url"] == "postgresql://tdr:***@db/registry?***"
    assert shown["rpc_urls"] == "https://user:***@node.example/***?***,http://127.0.0.1:8545"
    assert "canary-1" in configuration.settings.database


KEY = "w.example+f5ceb1f8+AQeHqD"


@pytest.mark.parametrize(
    ("witness", "shown"),
    [
        (f"{KEY} http://u:canary@127.0.0.1:1", f"{KEY} http://u:***@127.0.0.1:1"),
        (f"{KEY} http://canary@127.0.0.1:1/", f"{KEY} http://***@127.0.0.1:1/"),
        (f"{KEY} https://w.example/canary?apikey=canary#canary", f"{KEY} https://w.example/***?***"),
        (f"{KEY} https://w.example", f"{KEY} https://w.example"),
        ("https://u:canary@w.example", "https://u:***@w.example"),
        ("u:canary@w.example", "***"),
        (f"{KEY} ftp://u:canary@w.example", f"{KEY} ***"),
        (f"{KEY} http://u:canary/x@w.example", f"{KEY} ***"),
        (f"{KEY} http://u:canary@[w.example", f"{KEY} ***"),
    ],
)
def test_secrets_of_witnesses_are_masked_where_settings_are_shown(witness: str, shown: str) -> None:
    """R10: however malformed a witness is given."""
    settings = {setting.name: setting.value for setting in load({}, {"TDR_WITNESSES": witness}).shown()}
    assert settings["witnesses"] == shown
    two = {setting.name: setting.value for setting in load({"witnesses": (witness, witness)}, {}).shown()}
    assert two["witnesses"] == f"{shown},{shown}"


def test_a_malformed_secret_is_not_repeated_in_the_error() -> None:
    """R10: an error names the setting, not its value."""
    with pytest.raises(InvalidInput) as caught:
        load({"database_url": ["canary"]}, {})
    assert "canary" not in str(caught.value)
