"""`tdr publish`, `retract`, `documents` and `withhold`: which documents of a dataset are public."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from registry.base.errors import Conflict, InvalidInput, NotFound
from registry.cli import options
from registry.cli.lazy import lazy
from registry.cli.rooms.datasets import ids

if TYPE_CHECKING:
    import time

    from registry import config, storage
    from registry.base import primitives
    from registry.chain import history
    from registry.cli import clock, output, rehearsal, session, times
    from registry.cli.rooms.datasets import content, writing
    from registry.rooms.datasets import errors, publications, service, statements
    from registry.sdk import client
    from registry.sdk.rooms.datasets import models
else:
    time, config, storage = lazy("time"), lazy("registry.config"), lazy("registry.storage")
    primitives, history, client = (
        lazy(f"registry.{name}") for name in ("base.primitives", "chain.history", "sdk.client")
    )
    clock, output, rehearsal = (lazy(f"registry.cli.{name}") for name in ("clock", "output", "rehearsal"))
    session, times = lazy("registry.cli.session"), lazy("registry.cli.times")
    content, writing = (lazy(f"registry.cli.rooms.datasets.{name}") for name in ("content", "writing"))
    errors, publications = (lazy(f"registry.rooms.datasets.{name}") for name in ("errors", "publications"))
    service, statements = (lazy(f"registry.rooms.datasets.{name}") for name in ("service", "statements"))

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Version = Annotated[int | None, typer.Option("--version", min=1, help="The version.  [default: the latest]")]


@app.command()
def publish(
    dataset: ids.VersionedArgument,
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
    metadata = None if metadata_file is None else content.read_object(metadata_file, "metadata")
    dataset_id, version = ids.id_and_version(dataset, version)
    clock.require_deadline(deadline)
    with session.open_session(gateway_url, keys, key, password_file, dry_run=dry_run) as signing:
        state = signing.gateway.datasets.state(dataset_id)
        number, expiry = version or state.version, signing.deadline_of(deadline)
        documents = writing.Documents(state.dataset_id, number, expiry, metadata, manifest)
        if dry_run:
            named = (("metadata", metadata), ("manifest", manifest))
            more = {"version": number, "published": [name for name, document in named if document is not None]}
            publication, unknown = documents.publication(), errors.unknown(state.dataset_id)
            _require_publishable(signing, publication)
            rehearsal.show_statement(signing, publication, more, unknown=unknown, as_json=as_json)
            return
        _print(signing.gateway.datasets.publish(documents.signed(signing)), as_json=as_json)


@app.command()
def retract(
    dataset: ids.VersionedArgument,
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
    with session.open_session(gateway_url, keys, key, password_file, dry_run=dry_run) as signing:
        state = signing.gateway.datasets.state(dataset_id)
        number = version or state.version
        public = {
            document.kind: document.hash
            for document in signing.gateway.datasets.publications(state.dataset_id).items
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
            deadline=signing.deadline_of(deadline),
        )
        if dry_run:
            more = {"version": number, "retracted": sorted(public), "reason": reason}
            unknown = errors.unknown(state.dataset_id)
            rehearsal.show_statement(signing, statement, more, unknown=unknown, as_json=as_json)
            return
        _print(signing.gateway.datasets.retract(signing.sign(statement)), as_json=as_json)


@app.command()
def documents(
    dataset: ids.DatasetArgument,
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


def _require_publishable(signing: session.SigningSession, statement: statements.Publication) -> None:
    """Require that documents belong to their version, and that none of them is withheld."""
    with rehearsal.chain_of(signing) as node:
        dataset = service.read_dataset(node, signing.deployment, statement.dataset_id, history.block_at(node))
    versions = dataset.versions
    if statement.version > len(versions):
        raise NotFound(
            f"The dataset has no version {statement.version}.", hint=f"It has versions 1 to {len(versions)}."
        )
    version = versions[statement.version - 1]
    if not set(statement.documents) <= {version.content_root, version.metadata_hash}:
        raise InvalidInput(
            f"Version {statement.version} has the content root {version.content_root} and the metadata hash "
            f"{version.metadata_hash}, and a document that was given is neither.",
            hint="Give the manifest and metadata that the version was registered with.",
        )
    for document in signing.gateway.datasets.publications(statement.dataset_id).items:
        concerned = document.version == statement.version or document.hash in statement.documents
        if concerned and document.state == "withheld":
            raise errors.withheld(document.withheld_for or "")


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
