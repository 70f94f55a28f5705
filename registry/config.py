"""A node's settings: from flags, the environment, a file, then defaults, each with its source."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from registry.base.errors import InvalidInput
from registry.base.primitives import Address
from registry.ethereum.eip712 import describe

ENVIRONMENT_PREFIX = "TDR_"
FILE_VARIABLE = "TDR_CONFIG"
MASK = "***"


def _comma_separated(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _by_name(value: object) -> object:
    return addresses_by_name(value) if isinstance(value, str) else value


def addresses_by_name(text: str) -> dict[str, str]:
    """Return the contracts' addresses by name from the text of an environment variable. The addresses are not checked.

    Args:
        text: Comma-separated: each the contract's name, =, its address; may be empty.

    Raises:
        ValueError: The text is malformed.
    """
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    names = [name.strip() for name, _, _ in pairs]
    if not all(separator and name for (_, separator, _), name in zip(pairs, names, strict=True)):
        raise ValueError("expected Name=0x..., comma-separated")
    if len(set(names)) != len(names):
        raise ValueError("a name is given twice")
    return dict(zip(names, (address.strip() for _, _, address in pairs), strict=True))


def _depth(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


def _base_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("a gateway's address is http:// or https://, a host, and perhaps a port and a path")
    return value.rstrip("/") + "/"


Seconds = Annotated[float, Field(gt=0, le=86_400)]


class Settings(BaseModel):
    """The settings of a node. In the environment each has its name in capitals after `TDR_`, in a file its own name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path = Field(Path(".tdr"), description="Folder of the embedded chain, the database and the relayer's key.")
    host: str = Field("127.0.0.1", description="Address to listen at.")
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(8000, description="Port to listen at; 0 takes a free one.")
    public_url: Annotated[str, AfterValidator(_base_url)] | None = Field(
        None,
        description="The gateway's address as others reach it, for certificates and exports; none: as it was asked at.",
    )
    rpc_urls: Annotated[tuple[str, ...], BeforeValidator(_comma_separated)] = Field(
        (), description="JSON-RPC endpoints of one chain, comma-separated; none: a chain of its own, embedded."
    )
    rpc_timeout_seconds: Seconds = Field(10.0, description="Longest wait for one answer of an endpoint.")
    database_url: SecretStr | None = Field(
        None, description="SQLAlchemy URL of SQLite or PostgreSQL; none: SQLite in the data folder."
    )
    relayer_key_file: Path | None = Field(
        None, description="The relayer's key: hex, or a keystore (V3); none: relayer.key in the data folder."
    )
    relayer_password_file: Path | None = Field(None, description="The password of that keystore.")
    contracts: Annotated[Mapping[str, Address], BeforeValidator(_by_name)] = Field(
        default_factory=dict,
        description="Contracts that are deployed already, comma-separated: each its name, =, its address.",
    )
    finality: Annotated[
        Literal["auto", "finalized"] | Annotated[int, Field(ge=0, le=10_000)], BeforeValidator(_depth)
    ] = Field(
        "auto",
        description="When a block is final: `finalized` (the node's tag), a number of blocks on top, or `auto`: by the "
        "tag, and with 12 blocks on top where the chain has no finalized blocks.",
    )
    bound_seconds: Seconds = Field(120.0, description="The published bound from accepted to mined.")
    max_fee_gwei: Annotated[float, Field(gt=0, le=1_000_000)] = Field(
        100.0, description="The most that the relayer ever offers for a unit of gas, in gwei (10^9 wei)."
    )
    gas_per_hour: Annotated[int, Field(ge=0)] = Field(
        60_000_000, description="Gas of the messages accepted in an hour, where gas costs money."
    )
    gas_per_account: Annotated[int, Field(ge=0)] = Field(
        12_000_000, description="Of that, at most so much for what one account signed."
    )
    gas_per_dataset: Annotated[int, Field(ge=0)] = Field(
        6_000_000, description="Of that, at most so much for one dataset; requests for it are counted apart."
    )
    gas_for_newcomers: Annotated[int, Field(ge=0)] = Field(
        30_000_000,
        description="Of that, at most so much for all accounts together that have not owned a dataset for a day.",
    )
    contract_wallets: bool = Field(
        False, description="Whether to relay what contract wallets sign (ERC-1271), where gas costs money."
    )
    lease_seconds: Seconds = Field(30.0, description="How long a relayer's lease of its key lasts without renewal.")
    poll_seconds: Seconds = Field(0.5, description="Pause of the relayer and the indexer when nothing is to be done.")
    checkpoint_seconds: Seconds = Field(60.0, description="Pause between two signed checkpoints of final blocks.")
    witnesses: Annotated[tuple[str, ...], BeforeValidator(_comma_separated)] = Field(
        (), description="Who is asked to cosign checkpoints, comma-separated: each its key, a space, its URL."
    )
    max_open_requests: Annotated[int, Field(ge=0, le=10_000)] = Field(
        100, description="Most requests for access to one dataset that may be unanswered at once; 0: none are taken."
    )
    max_statements_per_hour: Annotated[int, Field(ge=0, le=10_000)] = Field(
        100, description="Most publications, retractions and request policies, of each kind, of an owner for a dataset."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least level that is logged."
    )
    log_format: Literal["console", "json"] = Field("console", description="Log lines for people or for machines.")

    @property
    def database(self) -> str:
        """Return the database's URL. Warning: it may contain a password."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.database_file}"

    @property
    def database_file(self) -> Path:
        """Return the path of the default database."""
        return self.data.absolute() / "registry.db"

    @property
    def key_file(self) -> Path:
        """Return the path of the relayer's key."""
        return self.relayer_key_file or self.data / "relayer.key"

    @property
    def checkpoint_key_file(self) -> Path:
        """Return the path of the key that signs checkpoints."""
        return self.data / "checkpoints.key"

    @property
    def chain_folder(self) -> Path:
        """Return the folder of the embedded chain."""
        return self.data / "chain"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting for `tdr config show`, with passwords and access keys masked.

    Args:
        name: Its name.
        value: Its value as text.
        source: Its source: ``flag``, the variable's name, the file's path, or ``default``.
        description: Its description.
    """

    name: str
    value: str
    source: str
    description: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings and their sources.

    Args:
        settings: The settings.
        sources: The source of each: ``flag``, the variable's name, the file's path, or ``default``.
    """

    settings: Settings
    sources: Mapping[str, str]

    def shown(self) -> Iterator[Setting]:
        """Yield the settings by name, with secrets masked."""
        for name, field in Settings.model_fields.items():
            value = getattr(self.settings, name)
            yield Setting(name, _masked(name, value), self.sources[name], field.description or "")


def load(flags: Mapping[str, object], environment: Mapping[str, str]) -> Configuration:
    """Load the settings.

    Args:
        flags: Settings by name from the command line; None counts as absent.
        environment: The environment's variables. `TDR_CONFIG` names a TOML file of settings.

    Raises:
        InvalidInput: A setting is unknown or malformed; the message names it and its source.
    """
    values: dict[str, object] = {}
    sources = dict.fromkeys(Settings.model_fields, "default")
    file = environment.get(FILE_VARIABLE)
    layers: list[tuple[Mapping[str, object], str]] = []
    if file:
        layers.append((_read(Path(file)), file))
    variables = {
        name: environment[ENVIRONMENT_PREFIX + name.upper()]
        for name in Settings.model_fields
        if environment.get(ENVIRONMENT_PREFIX + name.upper())
    }
    layers.append((variables, ENVIRONMENT_PREFIX))
    layers.append(({name: value for name, value in flags.items() if value is not None}, "flag"))
    for layer, source in layers:
        for name, value in layer.items():
            if name not in Settings.model_fields:
                raise InvalidInput(f"{source} has a setting {name!r}, which does not exist.", hint=_known())
            values[name] = value
            sources[name] = source + name.upper() if source == ENVIRONMENT_PREFIX else source
    try:
        return Configuration(Settings.model_validate(values), sources)
    except ValidationError as error:
        wrong = sorted({str(item["loc"][0]) for item in error.errors() if item["loc"]})
        origins = ", ".join(f"{name} from {sources.get(name, 'default')}" for name in wrong)
        raise InvalidInput(f"The settings are malformed ({origins}): {describe(error)}.", hint=_known()) from None


def without_secrets(url: str) -> str:
    """Return a URL with its password, path and query masked (hosted nodes keep access keys in those)."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # A password with a slash or a comma ends where a port should be.
    except ValueError:
        return MASK
    is_database = not parts.scheme.startswith(("http", "ws"))
    name = parts.username if is_database or parts.password else MASK  # A token may be alone before the host.
    user = f"{name}:{MASK}@" if parts.password else f"{name}@" if parts.username else ""
    host = parts.netloc.rpartition("@")[2]
    path = parts.path if is_database or parts.path in ("", "/") else f"/{MASK}"
    return urlunsplit((parts.scheme, user + host, path, MASK if parts.query else "", ""))


def witness_without_secrets(text: str) -> str:
    """Return a witness (its key and its URL) with possible secrets masked, however malformed it is."""
    return " ".join(_word_without_secrets(word) for word in text.split())


def _word_without_secrets(word: str) -> str:
    if word.startswith(("http://", "https://")):
        return without_secrets(word)
    return MASK if any(mark in word for mark in ("://", "@", "?")) else word


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise InvalidInput(
            f"The settings file {path} cannot be read: {error.strerror}.", hint=f"{FILE_VARIABLE} names it."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"The settings file {path} is not TOML: {error}.") from error


def _masked(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return without_secrets(value.get_secret_value())
    if name == "rpc_urls" and isinstance(value, tuple):
        return ",".join(without_secrets(url) for url in value)
    if name == "witnesses" and isinstance(value, tuple):
        return ",".join(witness_without_secrets(text) for text in value)
    if isinstance(value, Mapping):
        return ",".join(f"{key}={item}" for key, item in value.items())
    if value == ():
        return ""
    return str(value)


def _known() -> str:
    return f"The settings are: {', '.join(Settings.model_fields)}."
