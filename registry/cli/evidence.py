"""`tdr export`: the evidence bundle of a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from registry.cli import ids, options
from registry.cli.lazy import lazy
from registry.errors import NotFound, Unavailable

if TYPE_CHECKING:
    import time as clock

    from registry import canonical, client, manifest, primitives
    from registry.chain import rpc
    from registry.cli import content, files, output, times
    from registry.datasets import records
    from registry.export import blocks, bundles
else:
    canonical, client, clock = lazy("registry.canonical"), lazy("registry.client"), lazy("time")
    manifest, primitives = lazy("registry.manifest"), lazy("registry.primitives")
    rpc = lazy("registry.chain.rpc")
    content, files, output = lazy("registry.cli.content"), lazy("registry.cli.files"), lazy("registry.cli.output")
    times = lazy("registry.cli.times")
    blocks, bundles = lazy("registry.export.blocks"), lazy("registry.export.bundles")

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def export(
    dataset: options.DatasetArgument,
    out: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to write it.")] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="As of when; else now.")] = None,
    file: Annotated[
        list[str] | None,
        typer.Option("--file", metavar="PATH", help="Show this file alone and not the whole manifest; repeatable."),
    ] = None,
    version: Annotated[int | None, typer.Option("--version", help="The version to show; else the latest.")] = None,
    grantee: Annotated[
        list[str] | None,
        typer.Option("--grantee", metavar="ADDRESS", help="Whose access to show; else everybody's; repeatable."),
    ] = None,
    manifest_file: Annotated[
        Path | None, typer.Option("--manifest", metavar="FILE", help="The manifest; else the gateway is asked.")
    ] = None,
    rpc_urls: Annotated[
        list[str] | None, typer.Option("--rpc", metavar="URL", help="A node to read the chain from; else the gateway.")
    ] = None,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Write the evidence of a dataset to one file that verifies offline, without the gateway and for ever.

    It holds the dataset's record and history up to a block, and the proofs of them. With --file it holds the proofs of
    single files, for a dataset with many.

    \b
    Examples:
      tdr export 1f2e3d4c -o measurements.tdr.json
      tdr export 1f2e3d4c --at 2026-06-30T00:00Z --file readings/may.csv -o may.tdr.json
    """
    time = None if at is None else times.parse_time(at, now=int(clock.time()))
    given = None if manifest_file is None else content.read_list(manifest_file)
    grantees = None if grantee is None else [primitives.Address.parse(address) for address in grantee]
    with client.Gateway(gateway_url) as gateway:
        dataset_id = gateway.state(ids.id_text(dataset)).dataset_id
        where = gateway.deployment()

        def shown(record: records.Dataset) -> bundles.Shown:
            return _shown(gateway, record, version, given, file or [])

        chain = rpc.RpcChain(rpc_urls or [gateway.rpc_url])
        try:
            until = blocks.block_as_of(chain, time)
            bundle = bundles.export_bundle(chain, where, dataset_id, until, grantees=grantees, shown=shown)
        finally:
            chain.close()
    target = out or Path(f"{dataset_id.hex()[:16]}.tdr.json")
    files.write(bundle, target)
    if as_json:
        done = {"file": str(target), "bytes": len(bundle), "datasetId": str(dataset_id)}
        output.print_json(done | {"asOfBlock": until.number, "asOfBlockHash": str(until.hash)})
        return
    output.print_fields(
        {
            "Evidence": f"{target}, {len(bundle):,} bytes",
            "Dataset": dataset_id,
            "As of": f"block {until.number}, {times.show_time(until.timestamp)}",
            "Block hash": until.hash,
            "Verify": f"tdr verify PATH --bundle {target} --block-hash {until.hash}",
        }
    )


def _shown(
    gateway: client.Gateway,
    record: records.Dataset,
    number: int | None,
    given: manifest.Manifest | None,
    paths: list[str],
) -> bundles.Shown:
    """What there is of a version's content. It is checked against the version's hashes when the bundle is made."""
    number = record.latest.number if number is None else number
    if not 1 <= number <= len(record.versions):
        raise NotFound(f"The dataset has no version {number}.")
    version = record.versions[number - 1]
    listed = given
    if listed is None:
        try:
            listed = gateway.manifest(version.content_root)
        except (NotFound, Unavailable):
            if paths:
                raise
    metadata = gateway.metadata(version.metadata_hash) if version.metadata_hash != primitives.ZERO_BYTES32 else None
    return bundles.Shown(listed, paths, None if metadata is None else dict(metadata), number)
