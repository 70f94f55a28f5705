"""Commands for owners of datasets: `tdr register`, `revise`, `transfer` and `withdraw`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.base.errors import Conflict, InvalidInput, NotFound, Unavailable
from registry.cli import confirm, options
from registry.cli.lazy import lazy
from registry.cli.rooms.datasets import ids, version_options

if TYPE_CHECKING:
    import secrets

    from registry.base import canonical, primitives
    from registry.chain import history, rpc
    from registry.cli import clock, people, writing
    from registry.cli.rooms.datasets import content, drafts
    from registry.rooms.datasets import head, messages, service
    from registry.sdk import client
    from registry.sdk.rooms.datasets import models
else:
    canonical, primitives = lazy("registry.base.canonical"), lazy("registry.base.primitives")
    history, rpc = lazy("registry.chain.history"), lazy("registry.chain.rpc")
    clock, content = lazy("registry.cli.clock"), lazy("registry.cli.rooms.datasets.content")
    drafts, people = lazy("registry.cli.rooms.datasets.drafts"), lazy("registry.cli.people")
    writing, head = lazy("registry.cli.writing"), lazy("registry.rooms.datasets.head")
    messages, service = lazy("registry.rooms.datasets.messages"), lazy("registry.rooms.datasets.service")
    client, secrets = lazy("registry.sdk.client"), lazy("secrets")

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def register(
    paths: version_options.PathArguments = None,
    name: version_options.Name = None,
    description: version_options.Description = None,
    license_name: version_options.License = None,
    keywords: version_options.Keywords = None,
    metadata_file: version_options.MetadataFile = None,
    uri: version_options.Uri = "",
    sources: version_options.Sources = None,
    listed: version_options.ListFile = None,
    private: version_options.Private = False,
    manifest_file: version_options.ManifestFile = None,
    excludes: options.Exclude = None,
    links: options.LinkRule = options.REFUSE_LINKS,
    no_publish: version_options.NoPublish = False,
    keep_metadata: version_options.KeepMetadata = None,
    dry_run: options.DryRun = False,
    key: options.KeyName = None,
    keys: options.Keys = options.KEY_FOLDER,
    password_file: options.PasswordFile = None,
    deadline: options.Deadline = options.DEADLINE,
    no_wait: options.NoWait = False,
    wait: options.WaitUntil = options.Wait.MINED,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Register files and folders as a new dataset, with you as its owner.

    The files are hashed on this machine and stay here. The manifest (names, sizes and hashes of the files) and the
    metadata are made public at the gateway; with --private the manifest stays here, with --no-publish the metadata too.
    Published documents can be retracted: tdr retract. Files that the ignore rules leave out are reported: those that
    tools write by themselves (.git, .DS_Store, Thumbs.db), those in the folder's .tdrignore, and --exclude.

    \b
    Examples:
      tdr register measurements/ --name "Station 7, 2026" --license CC-BY-4.0
      tdr register table.csv --name "Prices" --source 0x1f2e3d4c@2
      tdr register a.csv b.csv 数据/ --name "Station 7, 2026"
      tdr register patients/ --name "Study A" --private --manifest study-a.manifest.json
      tdr register checkout/ --name "Model" --exclude "*.log" --exclude "build/" --links skip
      tdr register measurements/ --name "Station 7, 2026" --dry-run
      tdr register plans/ --no-publish --manifest plans.manifest.json --keep-metadata plans.metadata.json
    """
    source = content.Content(paths or (), listed, private, manifest_file, content.selection_of(excludes, links))
    source.check()
    kept = content.Kept(keep_metadata, no_publish)
    kept.check()
    clock.require_deadline(deadline)
    metadata = content.metadata_of(
        {"name": source.name()},
        metadata_file,
        name=name,
        description=description,
        license_name=license_name,
        keywords=keywords or (),
    )
    canonical.metadata_hash(metadata)  # Metadata that cannot be hashed is refused before anything else is done.
    metadata = kept.salted(metadata)
    with writing.open_session(gateway_url, keys, key, password_file, dry_run=dry_run) as session:
        derived_from = _sources(session.gateway, sources or [])
        selected = source.selected()
        manifest = selected.manifest
        metadata = content.note_left_out(metadata, selected, source.selection, private=private)
        metadata_hash = canonical.metadata_hash(metadata)
        message = messages.Registration.parse(
            {
                "owner": session.signer.address,
                "contentRoot": manifest.root,
                "metadataHash": metadata_hash,
                "uri": uri,
                "salt": primitives.Bytes32(secrets.token_bytes(32)),
                "sources": derived_from,
                "deadline": session.deadline_of(deadline),
            }
        )
        new_head = head.NO_HEAD.after_registration(
            message.dataset_id, message.owner, message.content_root, metadata_hash, uri.encode(), message.sources
        )
        more = _version_fields(selected, new_head, manifest_file)
        if dry_run:
            told = more | _documents(metadata, no_publish=no_publish, private=private)
            drafts.show_message(session, message, told, as_json=as_json)
            return
        source.keep(manifest)
        kept.keep(metadata)
        public = None if manifest.is_private else manifest
        documents = None if no_publish else writing.Documents(message.dataset_id, 1, metadata, public, message.deadline)
        receipt = session.send(message, wait=writing.waiting(no_wait, wait), documents=documents)
    writing.print_write(session, receipt, message, {"owner": str(message.owner), **more}, as_json=as_json)


@app.command()
def revise(
    dataset: options.DatasetArgument,
    paths: version_options.PathArguments = None,
    name: version_options.Name = None,
    description: version_options.Description = None,
    license_name: version_options.License = None,
    keywords: version_options.Keywords = None,
    metadata_file: version_options.MetadataFile = None,
    uri: version_options.Uri = "",
    sources: version_options.Sources = None,
    listed: version_options.ListFile = None,
    private: version_options.Private = False,
    manifest_file: version_options.ManifestFile = None,
    excludes: options.Exclude = None,
    links: options.LinkRule = options.REFUSE_LINKS,
    no_publish: version_options.NoPublish = False,
    keep_metadata: version_options.KeepMetadata = None,
    dry_run: options.DryRun = False,
    key: options.KeyName = None,
    keys: options.Keys = options.KEY_FOLDER,
    password_file: options.PasswordFile = None,
    deadline: options.Deadline = options.DEADLINE,
    no_wait: options.NoWait = False,
    wait: options.WaitUntil = options.Wait.MINED,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Register the next version of your dataset.

    Metadata that is not given again is taken from the previous version.

    \b
    Examples:
      tdr revise 0x1f2e3d4c measurements/
      tdr revise 0x1f2e3d4c a.csv b.csv 数据/
      tdr revise 0x1f2e3d4c measurements/ --description "With the values of December"
    """
    source = content.Content(paths or (), listed, private, manifest_file, content.selection_of(excludes, links))
    source.check()
    kept = content.Kept(keep_metadata, no_publish)
    kept.check()
    dataset_text = ids.id_text(dataset)
    clock.require_deadline(deadline)
    with writing.open_session(gateway_url, keys, key, password_file, dry_run=dry_run) as session:
        state = session.gateway.datasets.state(dataset_text)
        metadata = content.metadata_of(
            {} if metadata_file else _former_metadata(session, state),
            metadata_file,
            name=name,
            description=description,
            license_name=license_name,
            keywords=keywords or (),
        )
        metadata = kept.salted(metadata) if metadata else metadata
        derived_from = _sources(session.gateway, sources or [])
        selected = source.selected()
        manifest = selected.manifest
        metadata = content.note_left_out(metadata, selected, source.selection, private=private)
        metadata_hash = canonical.metadata_hash(metadata) if metadata else primitives.ZERO_BYTES32
        message = messages.Revision.parse(
            {
                "datasetId": state.dataset_id,
                "head": state.head,
                "contentRoot": manifest.root,
                "metadataHash": metadata_hash,
                "uri": uri,
                "sources": derived_from,
                "deadline": session.deadline_of(deadline),
            }
        )
        new_head = head.Head(state.head).after_revision(
            message.content_root, metadata_hash, uri.encode(), message.sources
        )
        more = _version_fields(selected, new_head, manifest_file)
        if dry_run:
            told = more | _documents(metadata, no_publish=no_publish, private=private)
            drafts.show_message(session, message, told, as_json=as_json)
            return
        source.keep(manifest)
        kept.keep(metadata)
        public = None if manifest.is_private else manifest
        documents = writing.Documents(state.dataset_id, state.version + 1, metadata or None, public, message.deadline)
        receipt = session.send(
            message,
            wait=writing.waiting(no_wait, wait),
            documents=None if no_publish or not (metadata or public) else documents,
        )
    writing.print_write(session, receipt, message, more, as_json=as_json)


@app.command()
def transfer(
    dataset: options.DatasetArgument,
    to: Annotated[
        str, typer.Argument(metavar="ACCOUNT", help="The new owner: an address, or the name of a key or contact.")
    ],
    yes: confirm.Yes = False,
    dry_run: options.DryRun = False,
    key: options.KeyName = None,
    keys: options.Keys = options.KEY_FOLDER,
    password_file: options.PasswordFile = None,
    deadline: options.Deadline = options.DEADLINE,
    no_wait: options.NoWait = False,
    wait: options.WaitUntil = options.Wait.MINED,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Transfer the title of a dataset to another account. Grants remain until the new owner revokes them.

    Only the new owner can transfer it back. At a terminal you are asked to confirm; otherwise --yes is required.

    \b
    Examples:
      tdr transfer 0x1f2e3d4c 0x70997970C51812dc3A010C7d01b50e0d17dc79C8
      tdr transfer 0x1f2e3d4c 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --yes
      tdr transfer 0x1f2e3d4c bob --dry-run
    """
    confirm.require_terminal_or_yes(yes=yes or dry_run)
    recipient = people.address_of(to, keys)
    dataset_text = ids.id_text(dataset)
    clock.require_deadline(deadline)
    with writing.open_session(gateway_url, keys, key, password_file, dry_run=dry_run) as session:
        state = session.gateway.datasets.state(dataset_text)
        message = messages.TitleTransfer.parse(
            {
                "datasetId": state.dataset_id,
                "head": state.head,
                "to": recipient,
                "deadline": session.deadline_of(deadline),
            }
        )
        new_head = head.Head(state.head).after_transfer(state.owner, recipient)
        more = {"owner": str(recipient), "previousOwner": str(state.owner), "head": str(new_head)}
        if dry_run:
            drafts.show_message(session, message, more, as_json=as_json)
            return
        if not yes:
            confirm.ask(
                (
                    f"Dataset  {_called(session, state)}",
                    f"To       {recipient}",
                    "Only the new owner can then revise, grant, revoke, withdraw, or give it back.",
                ),
                "Pass the title on?",
            )
        receipt = session.send(message, wait=writing.waiting(no_wait, wait))
    writing.print_write(session, receipt, message, more, as_json=as_json)


@app.command()
def withdraw(
    dataset: options.DatasetArgument,
    reason: Annotated[str, typer.Option("--reason", help="The reason; permanently recorded on the chain.")] = "",
    yes: confirm.Yes = False,
    dry_run: options.DryRun = False,
    key: options.KeyName = None,
    keys: options.Keys = options.KEY_FOLDER,
    password_file: options.PasswordFile = None,
    deadline: options.Deadline = options.DEADLINE,
    no_wait: options.NoWait = False,
    wait: options.WaitUntil = options.Wait.MINED,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Withdraw a dataset permanently: no further version, no further grant. Its history and title remain.

    This cannot be undone. At a terminal you are asked to confirm; otherwise --yes is required.

    \b
    Examples:
      tdr withdraw 0x1f2e3d4c --reason "Consent of two participants was withdrawn"
      tdr withdraw 0x1f2e3d4c --reason "Replaced by 0x5a6b7c8d" --yes
      tdr withdraw 0x1f2e3d4c --reason "Replaced by 0x5a6b7c8d" --dry-run
    """
    confirm.require_terminal_or_yes(yes=yes or dry_run)
    dataset_text = ids.id_text(dataset)
    clock.require_deadline(deadline)
    with writing.open_session(gateway_url, keys, key, password_file, dry_run=dry_run) as session:
        state = session.gateway.datasets.state(dataset_text)
        message = messages.Withdrawal.parse(
            {
                "datasetId": state.dataset_id,
                "head": state.head,
                "reason": reason,
                "deadline": session.deadline_of(deadline),
            }
        )
        more = {"reason": reason, "head": str(head.Head(state.head).after_withdrawal(reason.encode()))}
        if dry_run:
            drafts.show_message(session, message, more, as_json=as_json)
            return
        if not yes:
            confirm.ask(
                (
                    f"Dataset  {_called(session, state)}",
                    f"Reason   {reason or 'none given'}",
                    "No further version and no further grant will be possible. It cannot be undone.",
                ),
                "Withdraw it for good?",
            )
        receipt = session.send(message, wait=writing.waiting(no_wait, wait))
    writing.print_write(session, receipt, message, more, as_json=as_json)


def _documents(metadata: Mapping[str, Any], *, no_publish: bool, private: bool) -> dict[str, object]:
    """Return the metadata of a draft, and which documents would be made public."""
    documents = [name for name, is_there in (("metadata", bool(metadata)), ("manifest", not private)) if is_there]
    return {"published": [] if no_publish else documents, "metadata": metadata}


def _called(session: writing.SigningSession, state: models.DatasetState) -> str:
    """Return a dataset's id, with its name if the gateway has it."""
    try:
        name = session.gateway.datasets.get(state.dataset_id).name
    except (NotFound, Unavailable):
        name = None
    return f"{state.dataset_id} ({name})" if name else str(state.dataset_id)


def _version_fields(selected: Any, new_head: Any, manifest_file: Path | None) -> dict[str, object]:
    return {
        "version": new_head.version,
        "contentRoot": str(selected.manifest.root),
        "head": str(new_head),
        "files": len(selected.manifest.entries),
        "bytes": selected.manifest.total_size,
        "leftOut": len(selected.left_out) or None,
        "manifest": None if manifest_file is None else str(manifest_file),
    }


def _former_metadata(session: writing.SigningSession, state: models.DatasetState) -> Mapping[str, Any]:
    """Return the metadata of the latest version, as the owner registered it.

    It will be signed again, so the gateway is not trusted. The events fold to the head that is signed with it: if they
    had another metadata hash, that head would not be the contract's, and the contract would refuse the signature.
    """
    node = rpc.RpcChain([session.gateway.rpc_url])
    try:
        former = service.read_dataset(node, session.deployment, state.dataset_id, history.block_at(node))
    finally:
        node.close()
    if former.head != state.head:
        raise Conflict(
            f"The events of the dataset fold to the head {former.head}, but the gateway says that it is {state.head}.",
            hint="It may have just changed: try again. If this persists, use another gateway.",
        )
    registered = former.latest.metadata_hash
    if registered == primitives.ZERO_BYTES32:
        return {}
    metadata = session.gateway.datasets.metadata(registered)
    if not isinstance(metadata, dict) or canonical.metadata_hash(metadata) != registered:
        raise InvalidInput(
            "The gateway does not have the metadata of the previous version.",
            hint="Give the new version's metadata by --metadata FILE.",
        )
    return {member: value for member, value in metadata.items() if member != content.LEFT_OUT}


def _sources(gateway: client.Client, given: list[str]) -> list[dict[str, object]]:
    """Return the sources in the contract's order, with full ids."""
    sources = set()
    for text in given:
        beginning, version = ids.id_and_version(text)
        if version is None:
            raise InvalidInput(f"A source is ID@VERSION, for example 0x1f2e3d4c@2; got {text[:80]!r}.")
        sources.add((gateway.datasets.state(beginning).dataset_id, version))
    return [{"datasetId": dataset_id, "version": version} for dataset_id, version in sorted(sources)]
