"""`tdr show`, `history`, `list`, `find` and `receipt`: what the gateway knows, for people."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from registry.base.errors import InvalidInput, NotFound
from registry.cli import ids, options
from registry.cli.lazy import lazy

if TYPE_CHECKING:
    from registry.base import primitives
    from registry.cli import content, output, people, times
    from registry.sdk import client
    from registry.sdk.models import access, datasets, receipts
else:
    client, primitives = lazy("registry.sdk.client"), lazy("registry.base.primitives")
    content, output = lazy("registry.cli.content"), lazy("registry.cli.output")
    people, times = lazy("registry.cli.people"), lazy("registry.cli.times")

app = typer.Typer(add_completion=False, rich_markup_mode=None)

SHORT_ID = 10
"""How much of an id stands in tables: 0x and the 8 hex digits that commands accept."""


@app.command()
def show(
    dataset: options.VersionedArgument,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Show a dataset as it is now, and who has access to it; or one version of it.

    \b
    Examples:
      tdr show 0x1f2e3d4c
      tdr show 0x1f2e3d4c@1
    """
    wanted, version = ids.id_and_version(dataset)
    if version is not None:
        _show_version(wanted, version, gateway_url, as_json=as_json)
        return
    with client.Client(gateway_url) as gateway:
        found = gateway.dataset(wanted)
        grants = gateway.grants(found.dataset_id).items
    if as_json:
        output.print_json({**found.raw, "grants": [grant.raw for grant in grants]})
    else:
        _print_dataset(found, grants)


@app.command()
def history(
    dataset: options.DatasetArgument,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Show the versions, transfers and withdrawal of a dataset, the first first.

    Who was granted what is in `tdr show`.

    \b
    Example:
      tdr history 0x1f2e3d4c
    """
    with client.Client(gateway_url) as gateway:
        found = gateway.history(ids.id_text(dataset))
    if as_json:
        output.print_json(found.raw)
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
            for step in found.items
        ),
    )
    output.print_line(f"as of block {found.as_of_block}")


@app.command("list")
def list_datasets(
    owner: Annotated[str | None, typer.Option("--owner", metavar="ACCOUNT", help="Those of this owner.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Those of this name, whatever its case.")] = None,
    search: Annotated[
        str | None, typer.Option("--search", metavar="WORDS", help="With these words in the name.")
    ] = None,
    status: Annotated[str | None, typer.Option("--status", help="active or withdrawn.")] = None,
    source: Annotated[str | None, typer.Option("--source", metavar="ID", help="Those that derive from this.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 50,
    keys: options.Keys = options.KEY_FOLDER,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """List datasets, the newest first.

    \b
    Examples:
      tdr list
      tdr list --search penguins --limit 10
    """
    holder = None if owner is None else str(people.address_of(owner, keys))
    with client.Client(gateway_url) as gateway:
        origin = None if source is None else str(gateway.state(ids.id_text(source)).dataset_id)
        filters = {"owner": holder, "name": name, "q": search, "status": status, "source": origin}
        found = list(gateway.datasets(limit=limit + 1, **filters))
    found, has_more = found[:limit], len(found) > limit
    if as_json:
        output.print_json({"items": [item.raw for item in found], "more": has_more})
        return
    if not found:
        output.print_line("There is no such dataset.")
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
            for item in found
        ),
    )
    if has_more:
        output.print_line(f"There are more than these {limit}: --limit {2 * limit} shows more of them.")


@app.command()
def find(
    what: Annotated[str, typer.Argument(metavar="FILE|HASH", help="A file, a folder, or a SHA-256 hash.")],
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Find who registered a file, a folder or a hash: every claimant, the first first. Exit code 1: nobody did.

    A claim says that somebody registered this content, and when; not that it was theirs. Files of private datasets
    cannot be found.

    \b
    Examples:
      tdr find measurements/2026-11.csv
      tdr find 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    """
    hashes = _hashes(what)
    with client.Client(gateway_url) as gateway:
        answers = [gateway.claims(sha256) for sha256 in hashes]
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
        # A file is looked for by its own hash and as a dataset of its own; a folder with sizes and without.
        output.print_line(f"Nobody has registered any of: {', '.join(one.hex() for one in hashes)}.")
    raise typer.Exit(0 if claims else 1)


@app.command()
def receipt(
    receipt_id: Annotated[str, typer.Argument(metavar="RECEIPT", help="The receipt's id.")],
    seconds: Annotated[int, typer.Option("--wait", min=0, max=30, help="Seconds to wait for the chain.")] = 0,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Show what became of a write. Exit code 1: it failed.

    \b
    Example:
      tdr receipt 6bded46cfe786bba35b16d488ac3c7c5 --wait 30
    """
    if not re.fullmatch(r"[0-9a-f]{32}", receipt_id):
        raise InvalidInput(f"A receipt's id is 32 hex digits, but this was given: {receipt_id[:80]!r}.")
    with client.Client(gateway_url) as gateway:
        found = gateway.receipt(receipt_id, wait=seconds)
    if as_json:
        output.print_json(_receipt_json(found))
    else:
        output.print_fields(
            {
                "receipt": found.id,
                "action": found.action,
                found.subject.kind: found.subject.id,
                "status": found.status,
                "transaction": found.transaction_hash,
                "block": found.block_number,
                "failure": found.failure and found.failure.detail,
            }
        )
    raise typer.Exit(1 if found.status == "failed" else 0)


def _show_version(wanted: str, version: int, gateway_url: str, *, as_json: bool) -> None:
    """Print what was registered as one version of a dataset."""
    with client.Client(gateway_url) as gateway:
        found = gateway.history(wanted)
        dataset_id = str(gateway.state(wanted).dataset_id)
    versions = [step for step in found.items if step.kind in ("registered", "revised")]
    if version > len(versions):
        raise NotFound(f"The dataset has no version {version}; its latest is {len(versions)}.")
    step = versions[version - 1]
    if as_json:
        document = {"datasetId": dataset_id, "version": version, "latestVersion": len(versions), **step.raw}
        output.print_json({**document, "asOfBlock": found.as_of_block})
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
            "as of block": found.as_of_block,
        }
    )


def _receipt_json(found: receipts.Receipt) -> dict[str, object]:
    """Return a receipt as `--json` prints it; its subject is named by its kind, for example `datasetId`."""
    failure = found.failure
    return {
        "id": found.id,
        "action": found.action,
        "status": found.status,
        f"{found.subject.kind}Id": str(found.subject.id),
        "transactionHash": None if found.transaction_hash is None else str(found.transaction_hash),
        "blockNumber": found.block_number,
        "failure": failure and {"error": failure.error, "values": failure.values, "detail": failure.detail},
        "alreadyDone": found.already_done,
    }


def _print_dataset(found: datasets.Dataset, grants: Sequence[access.Grant]) -> None:
    metadata = found.metadata or {}
    output.print_fields(
        {
            "dataset": found.dataset_id,
            "name": found.name,
            "description": found.description,
            "license": _told(metadata.get("license")),
            "keywords": _told(metadata.get("keywords")),
            "owner": found.owner,
            "first owner": None if found.first_owner == found.owner else found.first_owner,
            "status": found.status,
            "withdrawn because": found.withdrawal_reason,
            "version": found.version,
            "files": found.files,
            "bytes": None if found.size is None else f"{found.size:,}",
            "content root": found.content_root,
            "metadata hash": found.metadata_hash,
            "uri": found.uri,
            "sources": ", ".join(f"{source.dataset_id}@{source.version}" for source in found.sources),
            "head": found.head,
            "registered": f"{times.for_people(found.registered_at)}, block {found.registered_block}",
            "updated": f"{times.for_people(found.updated_at)}, block {found.updated_block}",
            "as of block": found.as_of_block,
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
    """A value of the metadata, in which a field may be anything that JSON can say."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(str(_told(one)) for one in value)
    return json.dumps(value, ensure_ascii=False)


def _hashes(what: str) -> list[primitives.Bytes32]:
    """The hashes to look for: as given, or of a file and of the dataset that is that file alone, or of a folder."""
    path = options.to_path(what)
    digits = re.fullmatch(r"(?:0x)?([0-9a-fA-F]{64})", what)
    exists = os.path.exists(path)  # noqa: PTH110  Of a name that is too long, Path.exists raises an error.
    if digits and not exists:
        return [primitives.Bytes32(bytes.fromhex(digits[1]))]
    if not exists:
        raise InvalidInput(f"{what[:200]!r} is neither a file or folder here nor a SHA-256 hash of 64 hex digits.")
    found = content.hashed_ways(path)
    # Registered as a list by sha256sum, without sizes, the same files have another root.
    roots = list(dict.fromkeys(root for one in found for root in (one.root, one.without_sizes().root)))
    return roots if path.is_dir() else [found[0].entries[0].sha256, *roots]


def _detail(step: datasets.HistoryStep) -> str:
    match step.kind:
        case "registered" | "revised":
            return f"version {step.version}, content root {step.content_root}"
        case "transferred":
            return f"to {step.to}"
        case "withdrawn":
            return step.reason or ""
