"""`tdr export`: the evidence bundle of a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from registry.base.errors import InvalidInput, NotFound, Unavailable
from registry.cli import options
from registry.cli.lazy import lazy
from registry.cli.rooms.datasets import ids

if TYPE_CHECKING:
    import time as clock

    from registry import manifest
    from registry.base import primitives
    from registry.chain import rpc
    from registry.cli import files, output, people, times
    from registry.cli.rooms.datasets import content
    from registry.evidence import bundle as form
    from registry.evidence import command
    from registry.evidence_export import blocks, bundles
    from registry.evidence_export import content as selections
    from registry.rooms import protocols
    from registry.rooms.datasets import records
    from registry.sdk import client
else:
    client, clock = lazy("registry.sdk.client"), lazy("time")
    manifest, primitives = lazy("registry.manifest"), lazy("registry.base.primitives")
    rpc = lazy("registry.chain.rpc")
    content, files = lazy("registry.cli.rooms.datasets.content"), lazy("registry.cli.files")
    output, people = lazy("registry.cli.output"), lazy("registry.cli.people")
    times, command = lazy("registry.cli.times"), lazy("registry.evidence.command")
    form, protocols = lazy("registry.evidence.bundle"), lazy("registry.rooms.protocols")
    selections = lazy("registry.evidence_export.content")
    blocks, bundles = lazy("registry.evidence_export.blocks"), lazy("registry.evidence_export.bundles")

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def export(
    dataset: ids.VersionedArgument,
    out: Annotated[
        Path | None, typer.Option("-o", "--output", parser=options.to_path, metavar="FILE", help="The file to write.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="The time of the snapshot.  [default: now]")
    ] = None,
    file: Annotated[
        list[str] | None,
        typer.Option("--file", metavar="PATH", help="Show only this file instead of the whole manifest; repeatable."),
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version", help="The version to show.  [default: the latest]")
    ] = None,
    grantee: Annotated[
        list[str] | None,
        typer.Option(
            "--grantee", metavar="ACCOUNT", help="The account whose access to show; repeatable.  [default: all]"
        ),
    ] = None,
    manifest_file: Annotated[
        Path | None,
        typer.Option(
            "--manifest", parser=options.to_path, metavar="FILE", help="The manifest.  [default: from the gateway]"
        ),
    ] = None,
    cosignatures: Annotated[
        int | None,
        typer.Option("--cosignatures", help="Use the newest checkpoint of the gateway with this many cosignatures."),
    ] = None,
    rpc_urls: Annotated[
        list[str] | None,
        typer.Option("--rpc", metavar="URL", help="A node to read the chain from.  [default: the gateway]"),
    ] = None,
    keys: options.Keys = options.KEY_FOLDER,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Write the evidence of a dataset to one file that can always be verified offline, without the gateway.

    It contains the dataset's record and history up to a block, with proofs. With --file it contains the proofs of
    single files, for a dataset with many.

    \b
    Examples:
      tdr export 1f2e3d4c -o measurements.tdr.json
      tdr export 1f2e3d4c@1 -o first.tdr.json
      tdr export 1f2e3d4c --at 2026-06-30T00:00Z --file readings/may.csv -o may.tdr.json
      tdr export 1f2e3d4c --cosignatures 2 -o measurements.tdr.json
    """
    if cosignatures is not None and (at is not None or rpc_urls or manifest_file is not None):
        raise InvalidInput(
            "With --cosignatures the gateway makes the evidence; --at, --rpc and --manifest are not allowed."
        )
    dataset_text, version = ids.id_and_version(dataset, version)
    time = None if at is None else times.parse_time(at, now=int(clock.time()))
    known = None if manifest_file is None else content.read_list(manifest_file)
    grantees = None if grantee is None else [people.address_of(account, keys) for account in grantee]
    with client.Client(gateway_url) as gateway:
        dataset_id = gateway.datasets.state(dataset_text).dataset_id
        if cosignatures is not None:
            bundle = gateway.datasets.evidence(
                dataset_id, cosignatures=cosignatures, files=file or (), grantees=grantees, version=version
            )
        else:
            bundle = _made(gateway, rpc_urls, dataset_id, time, grantees, _Selected(version, known, file or []))
    try:
        shown = form.parse_bundle(bundle, protocols.PROTOCOLS)
    except InvalidInput as error:
        raise Unavailable(f"The gateway returned an invalid bundle: {error.message}") from error
    block = shown.record.block
    target = out or Path(f"{dataset_id.hex()[:16]}.tdr.json")
    files.write(bundle, target)
    if as_json:
        done = {"file": str(target), "bytes": len(bundle), "datasetId": str(dataset_id)}
        output.print_json(done | {"asOfBlock": block.number, "asOfBlockHash": str(block.hash)})
        return
    output.print_fields(
        {
            "Evidence": f"{target}, {len(bundle):,} bytes",
            "Dataset": dataset_id,
            "As of": f"block {block.number}, {times.show_time(block.time)}",
            "Block hash": block.hash,
            "Verify": f"tdr verify PATH --bundle {target} "
            + (" ".join(command.trust_options(shown)) if cosignatures is None else "--trust FILE"),
        }
    )


class _Selected(NamedTuple):
    """The content to show: the version, the manifest, and the paths of single files."""

    version: int | None
    manifest: manifest.Manifest | None
    paths: list[str]


def _made(
    gateway: client.Client,
    rpc_urls: list[str] | None,
    dataset_id: primitives.DatasetId,
    time: int | None,
    grantees: list[primitives.Address] | None,
    selected: _Selected,
) -> bytes:
    """Return the evidence, built here from the chain's data."""
    chain = rpc.RpcChain(rpc_urls or [gateway.rpc_url])
    try:
        return bundles.export_bundle(
            chain,
            gateway.deployment(),
            dataset_id,
            blocks.block_as_of(chain, time),
            grantees=grantees,
            shown=lambda record: _shown(gateway, record, selected),
        )
    finally:
        chain.close()


def _shown(gateway: client.Client, record: records.Dataset, selected: _Selected) -> selections.ContentSelection:
    """Return the available content of a version. Building the bundle checks it against the version's hashes."""
    number = record.latest.number if selected.version is None else selected.version
    if not 1 <= number <= len(record.versions):
        raise NotFound(f"The dataset has no version {number}.")
    version = record.versions[number - 1]
    listed = selected.manifest
    if listed is None:
        try:
            listed = gateway.datasets.manifest(version.content_root)
        except (NotFound, Unavailable):
            if selected.paths:
                raise
    has_metadata = version.metadata_hash != primitives.ZERO_BYTES32
    metadata = gateway.datasets.metadata(version.metadata_hash) if has_metadata else None
    return selections.ContentSelection(listed, selected.paths, None if metadata is None else dict(metadata), number)
