"""`tdr publish`, `retract`, `documents` and `withhold`: which documents of a dataset are public."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.base.errors import Conflict, InvalidInput
from registry.cli import options
from registry.cli.lazy import lazy
from registry.cli.rooms.datasets import ids

if TYPE_CHECKING:
    import time

    from registry import config, storage
    from registry.base import canonical, primitives
    from registry.cli import clock, output, times, writing
    from registry.cli.rooms.datasets import content, drafts
    from registry.rooms.datasets import publications, statements
    from registry.sdk import client
    from registry.sdk.rooms.datasets import models
else:
    time, canonical, client = lazy("time"), lazy("registry.base.canonical"), lazy("registry.sdk.client")
    clock = lazy("registry.cli.clock")
    config, primitives, storage = lazy("registry.config"), lazy("registry.base.primitives"), lazy("registry.storage")
    content, output = lazy("registry.cli.rooms.datasets.content"), lazy("registry.cli.output")
    drafts = lazy("registry.cli.rooms.datasets.drafts")
    times, writing = lazy("registry.cli.times"), lazy("registry.cli.writing")
    publications, statements = lazy("registry.rooms.datasets.publications"), lazy("registry.rooms.datasets.statements")

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Version = Annotated[int | None, typer.Option("--version", min=1, help="The version.  [default: the latest]")]


@app.command()
def publish(
    dataset: options.VersionedArgument,
    version: Version = None,
    manifest_file: Annotated[
        Path | None,
        typer.Option("--manifest", parser=options.to_path, metavar="FILE", help="The manifest to publish."),
    ] = None,
    metadata_file: Annotated[
        Path | None,
        typer.Option("--metadata", parser=options.to_path, metavar="FILE", help="The metadata to publish."),
    ] = None,
    dry_run: options.DryRun = False,
    key: options.KeyName = None,
    keys: options.Keys = options.KEY_FOLDER,
    password_file: options.PasswordFile = None,
    deadline: options.Deadline = options.DEADLINE,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Make documents of a version public that were not published, or were retracted. You must own the dataset.

    \b
    Examples:
      tdr publish 0x1f2e3d4c --metadata plans.metadata.json
      tdr publish 0x1f2e3d4c --version 1 --manifest plans.manifest.json --metadata plans.metadata.json
      tdr publish 0x1f2e3d4c --metadata plans.metadata.json --dry-run
    """
    if manifest_file is None and metadata_file is None:
        raise InvalidInput("No document given. Use --manifest FILE, --metadata FILE, or both.")
    manifest = None if manifest_file is None else content.read_list(manifest_file)
    if manifest is not None and manifest.is_private:
        raise InvalidInput(
            f"The manifest in {str(manifest_file)!r} contains salts, and anyone who has them can guess content.",
            hint="A dataset registered with --private keeps its manifest private. Metadata can be published alone.",
        )
    metadata = None if metadata_file is None else _metadata(metadata_file)
    dataset_id, version = ids.id_and_version(dataset, version)
    clock.require_deadline(deadline)
    with writing.open_session(gateway_url, keys, key, password_file, dry_run=dry_run) as session:
        state = session.gateway.datasets.state(dataset_id)
        number, expiry = version or state.version, session.deadline_of(deadline)
        documents = writing.Documents(state.dataset_id, number, metadata, manifest, expiry)
        if dry_run:
            named = (("metadata", metadata), ("manifest", manifest))
            more = {"version": number, "published": [name for name, document in named if document is not None]}
            drafts.show_statement(session, documents.publication(), more, as_json=as_json)
            return
        _print(session.gateway.datasets.publish(session.published(documents)), as_json=as_json)


@app.command()
def retract(
    dataset: options.VersionedArgument,
    version: Version = None,
    reason: Annotated[str, typer.Option("--reason", help="The reason; it is public.")] = "",
    dry_run: options.DryRun = False,
    key: options.KeyName = None,
    keys: options.Keys = options.KEY_FOLDER,
    password_file: options.PasswordFile = None,
    deadline: options.Deadline = options.DEADLINE,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Retract the public documents of a version: the gateway no longer shows them, and erases them.

    The registration and every proof remain. Copies that others have are not affected.

    \b
    Examples:
      tdr retract 0x1f2e3d4c --version 1 --reason "Names a person"
      tdr retract 0x1f2e3d4c --version 1 --dry-run
    """
    dataset_id, version = ids.id_and_version(dataset, version)
    clock.require_deadline(deadline)
    with writing.open_session(gateway_url, keys, key, password_file, dry_run=dry_run) as session:
        state = session.gateway.datasets.state(dataset_id)
        number = version or state.version
        public = {
            document.kind: document.hash
            for document in session.gateway.datasets.publications(state.dataset_id).items
            if document.version == number and document.state == "public"
        }
        if not public:
            raise Conflict(f"No document of version {number} is public.", hint="`tdr documents ID` lists them all.")
        statement = statements.Retraction(
            dataset_id=state.dataset_id,
            version=number,
            content_root=public.get("manifest", primitives.ZERO_BYTES32),
            metadata_hash=public.get("metadata", primitives.ZERO_BYTES32),
            reason=reason,
            deadline=session.deadline_of(deadline),
        )
        if dry_run:
            more = {"version": number, "retracted": sorted(public), "reason": reason}
            drafts.show_statement(session, statement, more, as_json=as_json)
            return
        _print(session.gateway.datasets.retract(session.sign(statement)), as_json=as_json)


@app.command()
def documents(
    dataset: options.DatasetArgument,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """List the documents of a dataset that were ever published, with their state.

    \b
    Example:
      tdr documents 0x1f2e3d4c
    """
    with client.Client(gateway_url) as gateway:
        _print(gateway.datasets.publications(ids.id_text(dataset)), as_json=as_json)


@app.command()
def withhold(
    dataset: Annotated[str, typer.Argument(metavar="ID", help="The dataset's full id.")],
    reason: Annotated[str, typer.Option("--reason", help="The law, order or case; shown in place of the documents.")],
    version: Annotated[int, typer.Option("--version", min=1, help="The version.")],
    data: Annotated[
        Path | None, typer.Option("--data", parser=options.to_path, metavar="FOLDER", help="The node's data folder.")
    ] = None,
    database: Annotated[str | None, typer.Option("--database", metavar="URL", help="The node's database.")] = None,
    as_json: options.AsJson = False,
) -> None:
    """Withhold the documents of a version, as the node's operator. Run it on a machine with the node's database.

    The owner can then publish no document of that version at this node, and not the same documents for another
    version. Other datasets are not affected. The registration and every proof remain.

    \b
    Example:
      tdr withhold 0x1f2e3d4c...9a --version 1 --reason "Court of Haidian, case 2026-1234" --data ./.tdr
    """
    if not reason.strip():
        raise InvalidInput("--reason is empty. It is required, because it is shown in place of the documents.")
    dataset_id = primitives.DatasetId.parse(dataset)
    settings = config.load({"data": data, "database_url": database}, os.environ).settings
    if settings.database_url is None and not settings.database_file.exists():
        raise InvalidInput(
            f"There is no database in the data folder {settings.data}.",
            hint="Give a node's folder with --data, or its database with --database.",
        )
    opened = storage.open_storage(settings.database)
    try:
        with opened.write() as connection:
            count = publications.withhold(connection, dataset_id, version, reason, time.time())
    finally:
        opened.close()
    result = {"datasetId": str(dataset_id), "version": version, "withheld": count, "reason": reason}
    if as_json:
        output.print_json(result)
    else:
        output.print_fields(result)


def _metadata(file: Path) -> Mapping[str, Any]:
    document = canonical.read_json(content.read_text(file))
    if not isinstance(document, dict):
        raise InvalidInput(f"The metadata in {str(file)!r} must be a JSON object, but it is another JSON value.")
    return document


def _print(listed: models.Documents, *, as_json: bool) -> None:
    if as_json:
        output.print_json(listed.raw)
    elif listed.items:
        output.print_table(
            ("version", "document", "state", "since", "reason", "hash"),
            ([document.version, document.kind, *_state(document), document.hash] for document in listed.items),
        )
    else:
        output.print_line("No document of this dataset was ever published here.")


def _state(document: models.Document) -> tuple[str, str, str]:
    """Return a document's state, since when it has been in it, and why."""
    since = document.withheld_at or document.retracted_at or document.published_at
    reason = document.withheld_for if document.withheld_at else document.reason
    return document.state, times.for_people(since), reason or ""
