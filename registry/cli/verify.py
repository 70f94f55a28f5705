"""`tdr verify`: whether files are what was registered, by what the chain says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from registry.cli import ids, options
from registry.cli.lazy import lazy
from registry.errors import InvalidInput, NotFound, Unavailable

if TYPE_CHECKING:
    from registry import client, deployment, manifest, primitives
    from registry.chain import client as chains
    from registry.chain import rpc
    from registry.cli import bundle_check, chain_record, comparison, content, output
else:
    client, deployment, manifest = lazy("registry.client"), lazy("registry.deployment"), lazy("registry.manifest")
    primitives, chains, rpc = lazy("registry.primitives"), lazy("registry.chain.client"), lazy("registry.chain.rpc")
    bundle_check = lazy("registry.cli.bundle_check")
    content, output = lazy("registry.cli.content"), lazy("registry.cli.output")
    chain_record, comparison = lazy("registry.cli.chain_record"), lazy("registry.cli.comparison")

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def verify(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The file or folder.")],
    dataset: Annotated[str | None, typer.Option("--dataset", metavar="ID", help="The dataset it should be.")] = None,
    version: Annotated[int | None, typer.Option("--version", help="The version; else the latest.")] = None,
    rpc_urls: Annotated[
        list[str] | None,
        typer.Option("--rpc", metavar="URL", help="A node of your own to read the chain from; may be repeated."),
    ] = None,
    registry: Annotated[
        str | None,
        typer.Option(
            "--registry",
            envvar="TDR_REGISTRY_ADDRESS",
            metavar="ADDRESS",
            help="The address of DatasetRegistry; else the gateway is asked for it, or the bundle's is taken.",
        ),
    ] = None,
    grants: Annotated[
        str | None,
        typer.Option(
            "--grants", envvar="TDR_GRANTS_ADDRESS", metavar="ADDRESS", help="With --bundle: AccessGrants' address."
        ),
    ] = None,
    manifest_file: Annotated[
        Path | None,
        typer.Option("--manifest", metavar="FILE", help="The manifest; else the gateway is asked. Private: needed."),
    ] = None,
    bundle_file: Annotated[
        Path | None,
        typer.Option(
            "--bundle",
            metavar="FILE",
            help="Evidence (or a certificate with it) in place of the chain; no network but --rpc's.",
        ),
    ] = None,
    block_hashes: Annotated[
        list[str] | None,
        typer.Option("--block-hash", metavar="HASH", help="With --bundle: a block's hash known from elsewhere."),
    ] = None,
    trust_file: Annotated[
        Path | None,
        typer.Option("--trust", metavar="FILE", help="With --bundle: the keys of a node and of witnesses, N of M."),
    ] = None,
    chain_id: Annotated[
        int | None, typer.Option("--chain-id", help="With --block-hash: the id of the chain that it is from.")
    ] = None,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Verify that files are what was registered. Exit code 0: they are; 1: they differ; 2: it could not be told.

    The chain itself is read, at the gateway's /rpc or at a node of your own, and not the gateway's index. With
    --manifest and without --dataset the files are compared with the manifest alone, and no network is used.

    \b
    Examples:
      tdr verify measurements/ --dataset 0x1f2e3d4c
      tdr verify measurements/ --dataset 0x1f2e3d4c --version 1 --rpc https://my-node.example
      tdr verify patients/ --manifest study-a.manifest.json
      tdr verify measurements/ --bundle measurements.tdr.json --block-hash 0x5a90...
    """
    report = comparison.Report(not_proven=[comparison.TRUTH])
    given = None if manifest_file is None else content.read_list(manifest_file)
    if bundle_file is not None:
        if dataset is not None or version is not None:
            raise InvalidInput("With --bundle, the bundle itself says the dataset and the version.")
        chosen = bundle_check.Chosen(block_hashes or (), rpc_urls or (), trust_file, chain_id, registry, grants)
        bundle_check.check_bundle(path, bundle_check.read_bundle(bundle_file, report), chosen, given, report)
    elif block_hashes or trust_file is not None or chain_id is not None:
        raise InvalidInput("--block-hash, --trust and --chain-id need --bundle FILE.")
    elif dataset is None:
        if given is None:
            raise InvalidInput(
                "Say what the files should be: --dataset ID, or --manifest FILE, or both; or --bundle FILE."
            )
        if version is not None or rpc_urls:
            raise InvalidInput("--version and --rpc need --dataset ID.")
        report.not_proven.append(comparison.REGISTRATION)
        comparison.check_content(content.hashed(path), given.root, given, report)
    else:
        with client.Gateway(gateway_url) as gateway:
            verify_on_chain(path, dataset, version, rpc_urls, registry, given, gateway, report)
    if as_json:
        output.print_json(report.to_json())
    else:
        _print(report)
    raise typer.Exit(0 if report.verified else 1)


def verify_on_chain(
    path: Path,
    dataset: str,
    version: int | None,
    rpc_urls: list[str] | None,
    registry: str | None,
    given: manifest.Manifest | None,
    gateway: client.Gateway,
    report: comparison.Report,
) -> None:
    """Compares files with what the chain says of a dataset; the report takes what comes out.

    Raises:
        RegistryError: It could not be told.
    """
    dataset_id = _full_id(gateway, ids.id_text(dataset))
    chain = rpc.RpcChain(rpc_urls or [gateway.rpc_url])
    try:
        where = _deployment(chain, gateway, registry)
        record = chain_record.read_record(chain, chain.name, where, dataset_id, version, report)
    finally:
        chain.close()
    report.record = record.to_json()
    chain_record.name_not_proven(record, report)
    if ids.id_text(dataset) != str(dataset_id):
        report.not_proven.append(
            f"That {dataset} is {dataset_id}: the gateway completed it, and another dataset's id can be made to begin "
            "so. Give the id in full."
        )
    root = record.version.content_root
    found = content.hashed(path)
    comparison.check_content(found, root, given or _served_manifest(gateway, root), report)


def _full_id(gateway: client.Gateway, text: str) -> primitives.DatasetId:
    if len(text) == 2 + 2 * primitives.DatasetId.LENGTH:
        return primitives.DatasetId.parse(text)
    try:
        return gateway.state(text).dataset_id
    except Unavailable as error:
        raise Unavailable(error.message, hint="Without a gateway, give the dataset's id in full.") from error


def _deployment(chain: chains.Chain, gateway: client.Gateway, registry: str | None) -> deployment.Deployment:
    if registry is None:
        try:
            found = gateway.deployment()
        except Unavailable as error:
            raise Unavailable(
                f"{error.message} So it cannot say where the registry's contract is.",
                hint="Give its address by --registry ADDRESS, or start a node with `tdr up`.",
            ) from error
        identity = chains.identity_of(chain)
        if (identity.chain_id, identity.genesis_hash) != (found.chain_id, found.genesis_hash):
            raise chains.WrongChain(
                f"The gateway's registry is on the chain {found.chain_id}, but the node serves {identity}.",
                hint="Name a node of the same chain by --rpc.",
            )
        return found
    address = primitives.Address.parse(registry)
    identity = chains.identity_of(chain)
    return deployment.Deployment(
        identity.chain_id, identity.genesis_hash, registry=address, grants=primitives.ZERO_ADDRESS, block_number=0
    )


def _served_manifest(gateway: client.Gateway, root: primitives.Bytes32) -> manifest.Manifest | None:
    """The manifest, if the gateway has it. It need not be believed: a manifest is checked against its root."""
    try:
        return gateway.manifest(root)
    except (NotFound, Unavailable):
        return None


def _print(report: comparison.Report) -> None:
    for number, step in enumerate(report.steps, 1):
        output.print_line(f"{number}. {output.plain(step)}")
    output.print_line()
    if report.refused:
        output.print_line("EVIDENCE REFUSED")
        output.print_line(f"  {output.plain(report.refused)}")
        return
    output.print_line("VERIFIED" if report.verified else "DIFFERENT")
    for difference in report.differences:
        output.print_line(f"  {output.plain(difference)}")
    output.print_line()
    output.print_line("NOT PROVEN")
    for line in report.not_proven:
        output.print_line(f"  - {output.plain(line)}")
