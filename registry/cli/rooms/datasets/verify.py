"""`tdr verify`: whether files are what was registered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from registry.base.errors import InvalidInput, NotFound, Unavailable
from registry.cli import options
from registry.cli.lazy import lazy
from registry.cli.rooms.datasets import ids

if TYPE_CHECKING:
    from registry import manifest
    from registry.base import canonical, primitives
    from registry.chain import client as chains
    from registry.chain import rpc
    from registry.cli import output
    from registry.cli.rooms.datasets import content
    from registry.rooms import deployment
    from registry.sdk import client
    from registry.verification import bundle as by_bundle
    from registry.verification import chain as by_chain
    from registry.verification import credential as by_credential
    from registry.verification import files, report, trust
else:
    client, deployment, manifest = (
        lazy("registry.sdk.client"),
        lazy("registry.rooms.deployment"),
        lazy("registry.manifest"),
    )
    canonical, primitives = lazy("registry.base.canonical"), lazy("registry.base.primitives")
    chains, rpc = lazy("registry.chain.client"), lazy("registry.chain.rpc")
    content, output = lazy("registry.cli.rooms.datasets.content"), lazy("registry.cli.output")
    by_bundle, by_chain = lazy("registry.verification.bundle"), lazy("registry.verification.chain")
    by_credential = lazy("registry.verification.credential")
    files, report = lazy("registry.verification.files"), lazy("registry.verification.report")
    trust = lazy("registry.verification.trust")

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
    contracts: options.Contracts = None,
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
    """Verify that files are what was registered. Exit code 0: they are; 1: check failed; 2: error, no result.

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
    listed = None if manifest_file is None else content.read_list(manifest_file)
    selection = content.selection_of(excludes, links)
    given = content.files_of(paths, selection) if paths else None
    pins = deployment.parse_addresses(contracts or ())
    if credential_file is not None:
        result = by_credential.verify_with_credential(_credential(credential_file), issuer, pins, given, listed)
    elif bundle_file is not None:
        chosen = trust.TrustOptions(block_hashes or (), rpc_urls or (), trust_file, chain_id, pins)
        result = by_bundle.verify_with_bundle(trust.read_bytes(bundle_file), chosen, given, listed)
    elif given is not None and dataset is not None:
        dataset, version = ids.id_and_version(dataset, version)
        with client.Client(gateway_url) as gateway:
            record, named = read_record(dataset, version, rpc_urls, pins, gateway)
            listed = listed or served_manifest(gateway, record.version.content_root)
            result = by_chain.verify_with_record(record, given, listed, named)
    else:
        result = _by_manifest(given, listed)
    result = result.requiring(active=require_active, latest=require_latest)
    if as_json:
        output.print_json(result.to_json())
    else:
        _print(result)
    raise typer.Exit(0 if result.verified else 1)


def _by_manifest(given: files.Files | None, listed: manifest.Manifest | None) -> report.Report:
    """Compare files with a manifest alone."""
    if given is None or listed is None:
        raise InvalidInput("Name files and a manifest.")
    start = report.Report(not_proven=(report.TRUTH_OF_CONTENT, report.REGISTRATION))
    return files.compare_files(start, given, listed.root, listed)


def _credential(file: Path) -> dict[str, object]:
    document = canonical.read_json(content.read_text(file))
    if not isinstance(document, dict):
        raise InvalidInput(f"A credential is a JSON object, but {str(file)!r} holds another JSON value.")
    return document


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


def read_record(
    dataset: str,
    version: int | None,
    rpc_urls: list[str] | None,
    pins: Mapping[str, primitives.Address],
    gateway: client.Client,
) -> tuple[by_chain.ChainRecord, str | None]:
    """Return a dataset's record from the chain, and the beginning of its id where the gateway completed it.

    Args:
        dataset: The dataset's id, or the beginning of it.
        version: The version; None: the latest.
        rpc_urls: Nodes to read; empty: the gateway's.
        pins: The contracts' addresses that the auditor knows, by name.
        gateway: The gateway that finds what is not given.

    Raises:
        RegistryError: The record cannot be read, or does not hold.
    """
    dataset_id = _full_id(gateway, ids.id_text(dataset))
    chain = rpc.RpcChain(rpc_urls or [gateway.rpc_url])
    try:
        where = _deployment(chain, gateway, pins)
        record = by_chain.read_record(chain, chain.name, where, dataset_id, version)
    finally:
        chain.close()
    return record, None if ids.id_text(dataset) == str(dataset_id) else dataset


def _full_id(gateway: client.Client, text: str) -> primitives.DatasetId:
    if len(text) == 2 + 2 * primitives.DatasetId.LENGTH:
        return primitives.DatasetId.parse(text)
    try:
        return gateway.datasets.state(text).dataset_id
    except Unavailable as error:
        raise Unavailable(error.message, hint="Without a gateway, give the dataset's id in full.") from error


def _deployment(
    chain: chains.Chain, gateway: client.Client, pins: Mapping[str, primitives.Address]
) -> deployment.Deployment:
    if not pins:
        try:
            found = gateway.deployment()
        except Unavailable as error:
            raise Unavailable(
                f"{error.message} So it cannot say where the registry's contract is.",
                hint="Give its address by --contract NAME=ADDRESS, or start a node with `tdr up`.",
            ) from error
        identity = chains.identity_of(chain)
        if (identity.chain_id, identity.genesis_hash) != (found.chain_id, found.genesis_hash):
            raise chains.WrongChain(
                f"The gateway's registry is on the chain {found.chain_id}, but the node serves {identity}.",
                hint="Name a node of the same chain by --rpc.",
            )
        return found
    identity = chains.identity_of(chain)
    return deployment.Deployment.of(identity.chain_id, identity.genesis_hash, pins, 0)


def served_manifest(gateway: client.Client, root: primitives.Bytes32) -> manifest.Manifest | None:
    """Return the manifest, if the gateway has it. It need not be trusted: a manifest is checked against its root."""
    try:
        return gateway.datasets.manifest(root)
    except (NotFound, Unavailable):
        return None


def _print(result: report.Report) -> None:
    for number, step in enumerate(result.steps, 1):
        output.print_line(f"{number}. {output.plain(step)}")
    output.print_line()
    output.print_line(result.headline)
    if result.refused:
        output.print_line(f"  {output.plain(result.refused)}")
        return
    for line in (*result.differences, *result.missed):
        output.print_line(f"  {output.plain(line)}")
    if result.access is not None:
        output.print_line()
        output.print_line(f"ACCESS, as of block {result.record['asOfBlock']}")
        for line in result.access_lines or ["The bundle shows nobody's access."]:
            output.print_line(f"  - {output.plain(line)}")
    output.print_line()
    output.print_line("NOT PROVEN")
    for line in result.not_proven:
        output.print_line(f"  - {output.plain(line)}")
