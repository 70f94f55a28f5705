"""`tdr verify`: whether files are what was registered, by what the chain says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from registry.base.errors import InvalidInput, NotFound, Unavailable
from registry.cli import ids, options
from registry.cli.lazy import lazy

if TYPE_CHECKING:
    from registry import manifest
    from registry.base import primitives
    from registry.chain import client as chains
    from registry.chain import rpc
    from registry.cli import bundle_check, chain_record, comparison, content, credential_check, output
    from registry.rooms import deployment
    from registry.sdk import client
else:
    client, deployment, manifest = (
        lazy("registry.sdk.client"),
        lazy("registry.rooms.deployment"),
        lazy("registry.manifest"),
    )
    primitives, chains, rpc = (
        lazy("registry.base.primitives"),
        lazy("registry.chain.client"),
        lazy("registry.chain.rpc"),
    )
    bundle_check, credential_check = lazy("registry.cli.bundle_check"), lazy("registry.cli.credential_check")
    content, output = lazy("registry.cli.content"), lazy("registry.cli.output")
    chain_record, comparison = lazy("registry.cli.chain_record"), lazy("registry.cli.comparison")

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def verify(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            parser=options.to_path,
            metavar="PATH",
            help="The files and folders. Without any, a bundle or credential is verified alone, and no content.",
        ),
    ] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", metavar="ID[@VERSION]", help="The dataset it should be.")
    ] = None,
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
        typer.Option(
            "--manifest",
            parser=options.to_path,
            metavar="FILE",
            help="The manifest; else the gateway is asked. Private: needed.",
        ),
    ] = None,
    bundle_file: Annotated[
        Path | None,
        typer.Option(
            "--bundle",
            parser=options.to_path,
            metavar="FILE",
            help="Evidence (or a certificate with it) in place of the chain; no network but --rpc's.",
        ),
    ] = None,
    block_hashes: options.BlockHashes = None,
    trust_file: options.TrustFile = None,
    chain_id: options.ChainId = None,
    credential_file: Annotated[
        Path | None,
        typer.Option(
            "--credential",
            parser=options.to_path,
            metavar="FILE",
            help="A Verifiable Credential in place of the chain; no network.",
        ),
    ] = None,
    issuer: Annotated[
        str | None, typer.Option("--issuer", metavar="DID", help="With --credential: the issuer that you know.")
    ] = None,
    require_active: Annotated[
        bool, typer.Option("--require-active", help="Exit with 1 if the dataset is withdrawn.")
    ] = False,
    require_latest: Annotated[
        bool, typer.Option("--require-latest", help="Exit with 1 if a later version followed.")
    ] = False,
    excludes: options.Exclude = None,
    links: options.LinkRule = options.REFUSE_LINKS,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Verify that files are what was registered. Exit code 0: they are; 1: they differ; 2: it could not be told.

    The chain itself is read, at the gateway's /rpc or at a node of your own, and not the gateway's index. With
    --manifest and without --dataset the files are compared with the manifest alone, and no network is used. A verdict
    on a withdrawn dataset or an older version says so; --require-active and --require-latest make it a failure.

    \b
    Examples:
      tdr verify measurements/ --dataset 0x1f2e3d4c
      tdr verify measurements/ --dataset 0x1f2e3d4c --version 1 --rpc https://my-node.example
      tdr verify a.csv b.csv 数据/ --dataset 0x1f2e3d4c
      tdr verify patients/ --manifest study-a.manifest.json
      tdr verify measurements/ --bundle measurements.tdr.json --block-hash 0x5a90...
      tdr verify --bundle certificate.pdf --trust trust.json --require-active --require-latest
      tdr verify measurements/ --credential credential.json --issuer did:key:z6Mk...
    """
    report = comparison.Report(not_proven=[comparison.TRUTH])
    selection = content.selection_of(excludes, links)
    given = None if manifest_file is None else content.read_list(manifest_file)
    _require_together(
        {
            "--dataset": dataset,
            "--version": version,
            "--rpc": rpc_urls,
            "--manifest": manifest_file,
            "--bundle": bundle_file,
            "--block-hash": block_hashes,
            "--trust": trust_file,
            "--chain-id": chain_id,
            "--credential": credential_file,
            "--issuer": issuer,
            "--require-active": require_active,
            "--require-latest": require_latest,
        },
        paths,
    )
    if credential_file is not None:
        credential_check.check_credential(paths, credential_file, issuer, registry, given, report, selection)
    elif bundle_file is not None:
        chosen = bundle_check.Chosen(block_hashes or (), rpc_urls or (), trust_file, chain_id, registry, grants)
        bundle = bundle_check.read_bundle(bundle_file, report)
        bundle_check.check_bundle(paths, bundle, chosen, given, report, selection)
    elif paths and dataset is not None:
        dataset, version = ids.id_and_version(dataset, version)
        with client.Client(gateway_url) as gateway:
            verify_on_chain(paths, dataset, version, rpc_urls, registry, given, gateway, report, selection)
    elif paths and given is not None:
        report.not_proven.append(comparison.REGISTRATION)
        found = content.hashed_for(paths, given.root, given, selection, report)
        comparison.check_content(found, given.root, given, report, is_file=content.is_file(paths))
    report.require(active=require_active, latest=require_latest)
    if as_json:
        output.print_json(report.to_json())
    else:
        _print(report)
    raise typer.Exit(0 if report.verified else 1)


BY_WHAT: Final = {
    "--credential": {"--issuer", "--manifest", "--require-active", "--require-latest"},
    "--bundle": {
        *("--rpc", "--block-hash", "--trust", "--chain-id", "--manifest"),
        *("--require-active", "--require-latest"),
    },
    "--dataset": {"--version", "--rpc", "--manifest", "--require-active", "--require-latest"},
    "--manifest": set[str](),
}
"""What says what the files should be, and the options that may go with each."""


def _require_together(options_given: Mapping[str, object], paths: Sequence[Path] | None) -> None:
    """Make sure that the options ask one question, and that there are files where one is about files."""
    named = {name for name, value in options_given.items() if value not in (None, [], False)}
    kind = next((kind for kind in BY_WHAT if kind in named), None)
    if kind is None and not named:
        raise InvalidInput(
            "Say what the files should be: --dataset ID, --manifest FILE, --bundle FILE or --credential FILE."
        )
    for other in sorted(named - {kind}):
        if kind is None or other not in BY_WHAT[kind]:
            needed = " or ".join(one for one, others in BY_WHAT.items() if other in others)
            raise InvalidInput(
                f"{other} goes with {needed}." if kind is None else f"{other} does not go with {kind}.",
                hint="`tdr verify --help` shows what can be asked.",
            )
    if not paths and kind not in ("--bundle", "--credential"):
        raise InvalidInput(
            f"With {kind}, name the file or folder to verify: tdr verify PATH {kind} ...",
            hint="Only a bundle or a credential can be verified without files.",
        )


def verify_on_chain(
    paths: Sequence[Path],
    dataset: str,
    version: int | None,
    rpc_urls: list[str] | None,
    registry: str | None,
    given: manifest.Manifest | None,
    gateway: client.Client,
    report: comparison.Report,
    selection: manifest.Selection,
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
    listed = given or _served_manifest(gateway, root)
    found = content.hashed_for(paths, root, listed, selection, report)
    comparison.check_content(found, root, listed, report, is_file=content.is_file(paths))


def _full_id(gateway: client.Client, text: str) -> primitives.DatasetId:
    if len(text) == 2 + 2 * primitives.DatasetId.LENGTH:
        return primitives.DatasetId.parse(text)
    try:
        return gateway.state(text).dataset_id
    except Unavailable as error:
        raise Unavailable(error.message, hint="Without a gateway, give the dataset's id in full.") from error


def _deployment(chain: chains.Chain, gateway: client.Client, registry: str | None) -> deployment.Deployment:
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
    return deployment.Deployment.of(identity.chain_id, identity.genesis_hash, {"DatasetRegistry": address}, 0)


def _served_manifest(gateway: client.Client, root: primitives.Bytes32) -> manifest.Manifest | None:
    """The manifest, if the gateway has it. It need not be believed: a manifest is checked against its root."""
    try:
        return gateway.manifest(root)
    except (NotFound, Unavailable):
        return None


def _print(report: comparison.Report) -> None:
    for number, step in enumerate(report.steps, 1):
        output.print_line(f"{number}. {output.plain(step)}")
    output.print_line()
    output.print_line(report.headline)
    if report.refused:
        output.print_line(f"  {output.plain(report.refused)}")
        return
    for line in (*report.differences, *report.missed):
        output.print_line(f"  {output.plain(line)}")
    if report.access is not None:
        output.print_line()
        output.print_line(f"ACCESS, as of block {report.record['asOfBlock']}")
        for line in report.access_lines or ["The bundle shows nobody's access."]:
            output.print_line(f"  - {output.plain(line)}")
    output.print_line()
    output.print_line("NOT PROVEN")
    for line in report.not_proven:
        output.print_line(f"  - {output.plain(line)}")
