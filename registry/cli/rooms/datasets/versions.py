"""Commands that register versions: `tdr register` and `tdr revise`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from registry.base.errors import Conflict, InvalidInput
from registry.cli import options
from registry.cli.lazy import lazy
from registry.cli.rooms.datasets import ids, version_options

if TYPE_CHECKING:
    import secrets

    from registry.base import canonical, primitives
    from registry.chain import history
    from registry.cli import clock, rehearsal, session
    from registry.cli.rooms.datasets import content, writing
    from registry.rooms.datasets import head, messages, service
    from registry.sdk import client
    from registry.sdk.rooms.datasets import models
else:
    canonical, primitives = lazy("registry.base.canonical"), lazy("registry.base.primitives")
    history, secrets = lazy("registry.chain.history"), lazy("secrets")
    clock, rehearsal, session = (lazy(f"registry.cli.{name}") for name in ("clock", "rehearsal", "session"))
    content, writing = lazy("registry.cli.rooms.datasets.content"), lazy("registry.cli.rooms.datasets.writing")
    head, messages = lazy("registry.rooms.datasets.head"), lazy("registry.rooms.datasets.messages")
    service, client = lazy("registry.rooms.datasets.service"), lazy("registry.sdk.client")

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
    Published documents can be retracted: tdr retract. Files that the ignore rules leave out are reported: files
    written by tools (.git, .DS_Store, Thumbs.db), those in the folder's .tdrignore, and --exclude.

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
    source = content.Content(
        paths or (), listed, private, manifest_file, content.selection_of(excludes, links), keep_metadata, no_publish
    )
    source.check()
    clock.require_deadline(deadline)
    fields = {"name": name, "description": description, "license": license_name, "keywords": keywords}
    metadata = content.metadata_of({"name": source.name()}, metadata_file, fields)
    canonical.metadata_hash(metadata)  # Metadata that cannot be hashed is refused before anything else is done.
    with session.open_session(gateway_url, keys, key, password_file, dry_run=dry_run) as signing:
        derived_from = _sources(signing.gateway, sources or [])
        version = source.version(source.salted(metadata))
        message = messages.Registration.parse(
            {
                "owner": signing.signer.address,
                "salt": primitives.Bytes32(secrets.token_bytes(32)),
                **_content(version, uri, derived_from),
                "deadline": signing.deadline_of(deadline),
            }
        )
        until = options.waiting(no_wait, wait)
        _write(signing, message, source, version, dry_run=dry_run, wait=until, as_json=as_json)


@app.command()
def revise(
    dataset: ids.DatasetArgument,
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
    source = content.Content(
        paths or (), listed, private, manifest_file, content.selection_of(excludes, links), keep_metadata, no_publish
    )
    source.check()
    dataset_text = ids.id_text(dataset)
    clock.require_deadline(deadline)
    fields = {"name": name, "description": description, "license": license_name, "keywords": keywords}
    with session.open_session(gateway_url, keys, key, password_file, dry_run=dry_run) as signing:
        state = signing.gateway.datasets.state(dataset_text)
        former = {} if metadata_file else _former_metadata(signing, state)
        metadata = content.metadata_of(former, metadata_file, fields)
        derived_from = _sources(signing.gateway, sources or [])
        version = source.version(source.salted(metadata) if metadata else None)
        message = messages.Revision.parse(
            {
                "datasetId": state.dataset_id,
                "head": state.head,
                **_content(version, uri, derived_from),
                "deadline": signing.deadline_of(deadline),
            }
        )
        until = options.waiting(no_wait, wait)
        _write(signing, message, source, version, dry_run=dry_run, wait=until, as_json=as_json)


def _content(version: content.Version, uri: str, sources: list[dict[str, object]]) -> dict[str, object]:
    """Return the fields of a message that describe a version."""
    return {
        "contentRoot": version.manifest.root,
        "metadataHash": version.metadata_hash,
        "uri": uri,
        "sources": sources,
    }


def _write(
    signing: session.SigningSession,
    message: messages.Registration | messages.Revision,
    source: content.Content,
    version: content.Version,
    *,
    dry_run: bool,
    wait: options.Wait | None,
    as_json: bool,
) -> None:
    """Send the message of a version and print the outcome, or show a draft of it."""
    is_new = isinstance(message, messages.Registration)
    new_head, manifest = _new_head(message), version.manifest
    fields = {
        "version": new_head.version,
        "contentRoot": str(manifest.root),
        "head": str(new_head),
        "files": len(manifest.entries),
        "bytes": manifest.total_size,
        "leftOut": len(version.selected.left_out) or None,
        "manifest": None if source.manifest_file is None else str(source.manifest_file),
    }
    public = source.published(version)
    if dry_run:
        fields |= {"published": list(public), "metadata": version.metadata or {}}
        # A new salt gives a registration another id each time, so the id is left out.
        rehearsal.show_message(signing, message, fields, as_json=as_json, shows_subject=not is_new)
        return
    source.keep(version)
    documents = writing.Documents(
        primitives.DatasetId(message.subject.id), new_head.version, deadline=message.deadline, **public
    )
    receipt = writing.send(signing, message, wait=wait, documents=documents if public else None)
    owner = {"owner": str(signing.signer.address)} if is_new else {}
    session.print_write(signing, receipt, message, owner | fields, as_json=as_json)


def _new_head(message: messages.Registration | messages.Revision) -> head.Head:
    """Return the head of the dataset after a message."""
    version = message.content_root, message.metadata_hash, message.uri.encode(), message.sources
    if isinstance(message, messages.Registration):
        return head.NO_HEAD.after_registration(message.dataset_id, message.owner, *version)
    return head.Head(message.head).after_revision(*version)


def _former_metadata(signing: session.SigningSession, state: models.DatasetState) -> Mapping[str, Any]:
    """Return the metadata of the latest version, as the owner registered it.

    It will be signed again, so the gateway is not trusted. The events fold to the head that is signed with it: if they
    had another metadata hash, that head would not be the contract's, and the contract would refuse the signature.
    """
    with rehearsal.chain_of(signing) as node:
        former = service.read_dataset(node, signing.deployment, state.dataset_id, history.block_at(node))
    if former.head != state.head:
        raise Conflict(
            f"The events of the dataset fold to the head {former.head}, but the gateway reports {state.head}.",
            hint="It may have just changed: try again. If this persists, use another gateway.",
        )
    registered = former.latest.metadata_hash
    if registered == primitives.ZERO_BYTES32:
        return {}
    metadata = signing.gateway.datasets.metadata(registered)
    if not isinstance(metadata, dict) or canonical.metadata_hash(metadata) != registered:
        raise InvalidInput(
            "The gateway does not have the metadata of the previous version.",
            hint="Give the new version's metadata with --metadata FILE.",
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
