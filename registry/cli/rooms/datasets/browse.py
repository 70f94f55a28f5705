"""Commands that read from the gateway: `tdr show`, `history`, `list` and `find`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from registry.base.errors import InvalidInput, NotFound
from registry.cli import options
from registry.cli.lazy import lazy
from registry.cli.rooms.datasets import ids

if TYPE_CHECKING:
    from registry.base import primitives
    from registry.cli import output, people, times
    from registry.cli.rooms.datasets import content
    from registry.sdk import client
    from registry.sdk.rooms.access import models as access_models
    from registry.sdk.rooms.datasets import models
else:
    client, primitives = lazy("registry.sdk.client"), lazy("registry.base.primitives")
    content, output = lazy("registry.cli.rooms.datasets.content"), lazy("registry.cli.output")
    people, times = lazy("registry.cli.people"), lazy("registry.cli.times")

app = typer.Typer(add_completion=False, rich_markup_mode=None)

SHORT_ID = 10
"""The length of ids in tables: 0x and the 8 hex digits that commands accept."""


@app.command()
def show(
    dataset: ids.VersionedArgument,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Show a dataset as it is now, and who has access to it; or one version of it.

    \b
    Examples:
      tdr show 0x1f2e3d4c
      tdr show 0x1f2e3d4c@1
    """
    dataset_text, version = ids.id_and_version(dataset)
    if version is not None:
        _show_version(dataset_text, version, gateway_url, as_json=as_json)
        return
    with client.Client(gateway_url) as gateway:
        state = gateway.datasets.get(dataset_text)
        grants = gateway.access.grants(state.dataset_id).items
    if as_json:
        output.print_json({**state.raw, "grants": [grant.raw for grant in grants]})
    else:
        _print_dataset(state, grants)


@app.command()
def history(
    dataset: ids.DatasetArgument,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Show the versions, transfers and withdrawal of a dataset, in ascending order.

    `tdr show` lists the grants.

    \b
    Example:
      tdr history 0x1f2e3d4c
    """
    with client.Client(gateway_url) as gateway:
        steps = gateway.datasets.history(ids.id_text(dataset))
    if as_json:
        output.print_json(steps.raw)
        return
    output.print_table(
        ("time", "block", "what", "detail", "head"),
        (
            (
                times.for_people(step.at.time),
                step.at.block_number,
                step.kind,
                _detail(step),
                str(step.head)[:SHORT_ID],
            )
            for step in steps.items
        ),
    )
    output.print_line(f"as of block {steps.as_of_block}")


@app.command("list")
def list_datasets(
    owner: Annotated[
        str | None, typer.Option("--owner", metavar="ACCOUNT", help="Only datasets of this owner.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Only datasets with this name, in any case.")] = None,
    search: Annotated[
        str | None, typer.Option("--search", metavar="WORDS", help="Only datasets with these words in the name.")
    ] = None,
    status: Annotated[str | None, typer.Option("--status", help="active or withdrawn.")] = None,
    source: Annotated[
        str | None, typer.Option("--source", metavar="ID", help="Only datasets that derive from this one.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The maximum number.")] = 50,
    keys: options.Keys = options.KEY_FOLDER,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """List datasets, newest first.

    \b
    Examples:
      tdr list
      tdr list --search penguins --limit 10
    """
    holder = None if owner is None else str(people.address_of(owner, keys))
    with client.Client(gateway_url) as gateway:
        origin = None if source is None else str(gateway.datasets.state(ids.id_text(source)).dataset_id)
        listed = gateway.datasets.list(limit=limit + 1, owner=holder, name=name, q=search, status=status, source=origin)
        items = list(listed)
    shown, has_more = items[:limit], len(items) > limit
    if as_json:
        output.print_json({"items": [item.raw for item in shown], "more": has_more})
        return
    if not shown:
        output.print_line("No dataset matches.")
        return
    output.print_table(
        ("id", "name", "version", "files", "owner", "updated", "status"),
        (
            (
                str(item.dataset_id)[:SHORT_ID],
                item.name,
                item.version,
                item.files,
                item.owner,
                times.for_people(item.updated_at),
                item.status,
            )
            for item in shown
        ),
    )
    if has_more:
        output.print_line(f"There are more than these {limit}: --limit {2 * limit} shows more.")


@app.command()
def find(
    what: Annotated[str, typer.Argument(metavar="FILE|HASH", help="A file, a folder, or a SHA-256 hash.")],
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Find who registered a file, a folder or a hash, in ascending order. Exit code 1: not found.

    A claim proves who registered this content and when, not that it was theirs. Files of private datasets cannot be
    found.

    \b
    Examples:
      tdr find measurements/2026-11.csv
      tdr find 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    """
    hashes = _hashes(what)
    with client.Client(gateway_url) as gateway:
        answers = [gateway.datasets.claims(sha256) for sha256 in hashes]
    claims = [claim for answer in answers for claim in answer.claims]
    if as_json:
        output.print_json({**answers[0].raw, "claims": [claim.raw for claim in claims]})
    elif claims:
        output.print_table(
            ("time", "dataset", "version", "claimant", "match", "path", "status"),
            (
                (
                    times.for_people(claim.at.time),
                    str(claim.dataset_id)[:SHORT_ID],
                    claim.version,
                    claim.claimant,
                    claim.match,
                    claim.path,
                    claim.status,
                )
                for claim in claims
            ),
        )
    else:
        # A file is searched by its own hash and as a dataset of one file; a folder with sizes and without.
        output.print_line(f"No claim found for any of: {', '.join(sha256.hex() for sha256 in hashes)}.")
    raise typer.Exit(0 if claims else 1)


def _show_version(dataset_text: str, version: int, gateway_url: str, *, as_json: bool) -> None:
    """Print one version of a dataset."""
    with client.Client(gateway_url) as gateway:
        steps = gateway.datasets.history(dataset_text)
        dataset_id = str(gateway.datasets.state(dataset_text).dataset_id)
    versions = [step for step in steps.items if step.kind in ("registered", "revised")]
    if version > len(versions):
        raise NotFound(f"The dataset has no version {version}; its latest is {len(versions)}.")
    step = versions[version - 1]
    if as_json:
        document = {"datasetId": dataset_id, "version": version, "latestVersion": len(versions), **step.raw}
        output.print_json({**document, "asOfBlock": steps.as_of_block})
        return
    output.print_fields(
        {
            "dataset": dataset_id,
            "version": f"{version} of {len(versions)}",
            "content root": step.content_root,
            "metadata hash": step.metadata_hash,
            "uri": step.uri,
            "head": step.head,
            step.kind: f"{times.for_people(step.at.time)}, block {step.at.block_number}",
            "as of block": steps.as_of_block,
        }
    )


def _print_dataset(state: models.Dataset, grants: Sequence[access_models.Grant]) -> None:
    metadata = state.metadata or {}
    output.print_fields(
        {
            "dataset": state.dataset_id,
            "name": state.name,
            "description": state.description,
            "license": _told(metadata.get("license")),
            "keywords": _told(metadata.get("keywords")),
            "owner": state.owner,
            "first owner": None if state.first_owner == state.owner else state.first_owner,
            "status": state.status,
            "withdrawn because": state.withdrawal_reason,
            "version": state.version,
            "files": state.files,
            "bytes": None if state.size is None else f"{state.size:,}",
            "content root": state.content_root,
            "metadata hash": state.metadata_hash,
            "uri": state.uri,
            "sources": ", ".join(f"{source.dataset_id}@{source.version}" for source in state.sources),
            "head": state.head,
            "registered": f"{times.for_people(state.registered_at)}, block {state.registered_block}",
            "updated": f"{times.for_people(state.updated_at)}, block {state.updated_block}",
            "as of block": state.as_of_block,
        }
    )
    if grants:
        output.print_line()
        output.print_table(
            ("grantee", "rights", "from", "until", "state"),
            (
                (
                    grant.grantee,
                    ", ".join(grant.rights),
                    times.for_people(grant.starts_at),
                    times.for_people(grant.ends_at),
                    grant.state,
                )
                for grant in grants
            ),
        )


def _told(value: object) -> str | None:
    """Return a value of the metadata as text. It may be any JSON value."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(str(_told(item)) for item in value)
    return json.dumps(value, ensure_ascii=False)


def _hashes(what: str) -> list[primitives.Bytes32]:
    """Return the hashes to look for: the given one, or those of a file alone and as a dataset, or of a folder."""
    path = options.to_path(what)
    digits = re.fullmatch(r"(?:0x)?([0-9a-fA-F]{64})", what)
    exists = os.path.exists(path)  # noqa: PTH110  Of a name that is too long, Path.exists raises an error.
    if digits and not exists:
        return [primitives.Bytes32(bytes.fromhex(digits[1]))]
    if not exists:
        raise InvalidInput(f"{what[:200]!r} is neither a file or folder here nor a SHA-256 hash of 64 hex digits.")
    manifests = content.hashed_ways(path)
    # Files that were registered as a list of sha256sum, without sizes, have another root.
    roots = list(
        dict.fromkeys(root for manifest in manifests for root in (manifest.root, manifest.without_sizes().root))
    )
    return roots if path.is_dir() else [manifests[0].entries[0].sha256, *roots]


def _detail(step: models.HistoryStep) -> str:
    match step.kind:
        case "registered" | "revised":
            return f"version {step.version}, content root {step.content_root}"
        case "transferred":
            return f"to {step.to}"
        case "withdrawn":
            return step.reason or ""
