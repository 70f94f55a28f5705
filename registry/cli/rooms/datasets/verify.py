"""`tdr verify`: verify that files are what was registered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from registry.base.errors import InvalidInput
from registry.cli import options
from registry.cli.lazy import lazy
from registry.cli.rooms.datasets import comparison_options, ids

if TYPE_CHECKING:
    from registry.cli import output
    from registry.cli.rooms.datasets import chain_record, content
    from registry.rooms import deployment
    from registry.sdk import client
    from registry.verification import bundle as by_bundle
    from registry.verification import chain as by_chain
    from registry.verification import credential as by_credential
    from registry.verification import files, report, trust
else:
    output, deployment, client = (lazy(f"registry.{name}") for name in ("cli.output", "rooms.deployment", "sdk.client"))
    chain_record, content = (lazy(f"registry.cli.rooms.datasets.{name}") for name in ("chain_record", "content"))
    by_bundle, by_chain, by_credential, files, report, trust = (
        lazy(f"registry.verification.{name}") for name in ("bundle", "chain", "credential", "files", "report", "trust")
    )

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def verify(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            parser=options.to_path,
            metavar="PATH",
            help="The files and folders; without any, only the bundle or credential is verified.",
        ),
    ] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", metavar="ID[@VERSION]", help="The dataset to compare with.")
    ] = None,
    version: Annotated[int | None, typer.Option("--version", help="The version.  [default: the latest]")] = None,
    rpc_urls: comparison_options.Nodes = None,
    contracts: options.Contracts = None,
    manifest_file: comparison_options.ManifestFile = None,
    bundle_file: Annotated[
        Path | None,
        typer.Option(
            "--bundle",
            parser=options.to_path,
            metavar="FILE",
            help="Evidence, or a certificate with it, instead of the chain; only --rpc uses the network.",
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
            help="A Verifiable Credential instead of the chain; no network.",
        ),
    ] = None,
    issuer: Annotated[
        str | None, typer.Option("--issuer", metavar="DID", help="With --credential: the issuer that you trust.")
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

    The command reads the chain itself, through the gateway's /rpc or a node that you trust, not the gateway's index.
    With --manifest and without --dataset, it compares files with the manifest only and does not use the network. The
    verdict names a withdrawn dataset or an older version; --require-active and --require-latest make it a failure.

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
    question = Question(
        paths=paths or (),
        dataset=dataset,
        version=version,
        nodes=rpc_urls or (),
        contracts=contracts or (),
        manifest=manifest_file,
        bundle=bundle_file,
        block_hashes=block_hashes or (),
        trust=trust_file,
        chain_id=chain_id,
        credential=credential_file,
        issuer=issuer,
        require_active=require_active,
        require_latest=require_latest,
        excludes=excludes or (),
        links=links,
    )
    question.check()
    result = _answer(question, gateway_url).requiring(active=require_active, latest=require_latest)
    if as_json:
        output.print_json(result.to_json())
    else:
        _print(result)
    raise typer.Exit(0 if result.verified else 1)


BY_WHAT: Final = {
    "--credential": {"--issuer", "--manifest", "--require-active", "--require-latest"},
    "--bundle": {
        *("--rpc", "--block-hash", "--trust", "--chain-id", "--manifest"),
        *("--require-active", "--require-latest"),
    },
    "--dataset": {"--version", "--rpc", "--manifest", "--require-active", "--require-latest"},
    "--manifest": set[str](),
}
"""The options that name what the files should be, and the options that may go with each."""


@dataclass(frozen=True, slots=True)
class Question:
    """The options of `tdr verify` that say what is verified.

    Args:
        paths: The files and folders.
        dataset: The dataset that they should be, or a prefix of its id, perhaps with a version.
        version: The version; None: the latest.
        nodes: The URLs of nodes to read the chain from.
        contracts: The contracts' addresses that the auditor knows, each as NAME=ADDRESS.
        manifest: The file of the manifest.
        bundle: The file of the evidence bundle.
        block_hashes: The hashes of blocks that the auditor has from elsewhere.
        trust: The file of the trust policy.
        chain_id: The id of the chain of the blocks.
        credential: The file of the credential.
        issuer: The credential's issuer that the auditor knows.
        require_active: Whether the dataset must not be withdrawn.
        require_latest: Whether the version must be the latest.
        excludes: The patterns of files that are left out.
        links: The rule for symbolic links.
    """

    paths: Sequence[Path]
    dataset: str | None
    version: int | None
    nodes: Sequence[str]
    contracts: Sequence[str]
    manifest: Path | None
    bundle: Path | None
    block_hashes: Sequence[str]
    trust: Path | None
    chain_id: int | None
    credential: Path | None
    issuer: str | None
    require_active: bool
    require_latest: bool
    excludes: Sequence[str]
    links: str

    def check(self) -> None:
        """Check that the options ask one question, and that there are files if it is about files.

        Raises:
            InvalidInput: They do not fit together.
        """
        named = self._named()
        kind = next((kind for kind in BY_WHAT if kind in named), None)
        if kind is None and not named:
            raise InvalidInput(
                "Give what to compare with: --dataset ID, --manifest FILE, --bundle FILE or --credential FILE."
            )
        for other in sorted(named - {kind}):
            if kind is None or other not in BY_WHAT[kind]:
                needed = " or ".join(first for first, others in BY_WHAT.items() if other in others)
                raise InvalidInput(
                    f"{other} goes with {needed}." if kind is None else f"{other} does not go with {kind}.",
                    hint="`tdr verify --help` shows the options.",
                )
        if not self.paths and kind not in ("--bundle", "--credential"):
            raise InvalidInput(
                f"With {kind}, name the file or folder to verify: tdr verify PATH {kind} ...",
                hint="Only a bundle or a credential can be verified without files.",
            )

    def _named(self) -> set[str]:
        """Return the names of the options that are given."""
        values = {
            "--dataset": self.dataset,
            "--version": self.version,
            "--rpc": self.nodes,
            "--manifest": self.manifest,
            "--bundle": self.bundle,
            "--block-hash": self.block_hashes,
            "--trust": self.trust,
            "--chain-id": self.chain_id,
            "--credential": self.credential,
            "--issuer": self.issuer,
            "--require-active": self.require_active,
            "--require-latest": self.require_latest,
        }
        return {name for name, value in values.items() if value not in (None, (), [], False)}


def _answer(question: Question, gateway_url: str) -> report.Report:
    """Verify what is asked, by the credential, the bundle, the chain or the manifest."""
    listed = None if question.manifest is None else content.read_list(question.manifest)
    selection = content.selection_of(question.excludes, question.links)
    on_disk = content.files_of(question.paths, selection) if question.paths else None
    pins = deployment.parse_addresses(question.contracts) if question.contracts else {}
    if question.credential is not None:
        document = content.read_object(question.credential, "credential")
        return by_credential.verify_with_credential(document, question.issuer, pins, on_disk, listed)
    if question.bundle is not None:
        chosen = trust.TrustOptions(question.block_hashes, question.nodes, question.trust, question.chain_id, pins)
        return by_bundle.verify(trust.read_bytes(question.bundle), chosen, on_disk, listed)
    if on_disk is not None and question.dataset is not None:
        dataset, version = ids.id_and_version(question.dataset, question.version)
        with client.Client(gateway_url) as gateway:
            record, named = chain_record.read_record(dataset, version, question.nodes, pins, gateway)
            listed = listed or chain_record.served_manifest(gateway, record.version.content_root)
            return by_chain.verify_with_record(record, on_disk, listed, named)
    if on_disk is None or listed is None:
        raise InvalidInput("Give files and a manifest.")
    start = report.Report(not_proven=(report.TRUTH_OF_CONTENT, report.REGISTRATION))
    return files.compare_files(start, on_disk, listed.root, listed)


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
        for line in result.access_lines or ["The bundle does not show any access."]:
            output.print_line(f"  - {output.plain(line)}")
    output.print_line()
    output.print_line("NOT PROVEN")
    for line in result.not_proven:
        output.print_line(f"  - {output.plain(line)}")
