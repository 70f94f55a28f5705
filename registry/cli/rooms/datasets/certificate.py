"""`tdr certificate`: a dataset's evidence as a page for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from registry.base.errors import InvalidInput, Unavailable
from registry.cli import options
from registry.cli.lazy import lazy
from registry.cli.rooms.datasets import ids

if TYPE_CHECKING:
    import time as clock

    from registry.base import urls
    from registry.certificate import attachment
    from registry.cli import files, output, times
    from registry.evidence import bundle as form
    from registry.evidence import command
    from registry.rooms import protocols
    from registry.sdk import client
else:
    client, clock, urls = lazy("registry.sdk.client"), lazy("time"), lazy("registry.base.urls")
    attachment = lazy("registry.certificate.attachment")
    files = lazy("registry.cli.files")
    output, times = lazy("registry.cli.output"), lazy("registry.cli.times")
    protocols = lazy("registry.rooms.protocols")
    form, command = lazy("registry.evidence.bundle"), lazy("registry.evidence.command")

PUBLIC: Final = "its gateway has no public address. Set TDR_PUBLIC_URL for `tdr up` to its public address."

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def certificate(
    dataset: ids.VersionedArgument,
    out: Annotated[
        Path | None, typer.Option("-o", "--output", parser=options.to_path, metavar="FILE", help="The file to write.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="The time of the facts.  [default: now]")
    ] = None,
    as_credential: Annotated[
        bool,
        typer.Option("--credential", help="Write a W3C Verifiable Credential in place of the page."),
    ] = False,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Write the certificate of a dataset: a page in Chinese and English, with the evidence attached to the PDF.

    It can be verified offline, as the evidence itself can.

    \b
    Examples:
      tdr certificate 0x1f2e3d4c -o certificate.pdf
      tdr verify measurements/ --bundle certificate.pdf --block-hash 0x5a90...
      tdr certificate 0x1f2e3d4c@2 --credential -o credential.json
    """
    dataset_id, version = ids.id_and_version(dataset)
    time = None if at is None else times.parse_time(at, now=int(clock.time()))
    with client.Client(gateway_url) as gateway:
        if as_credential:
            document = gateway.datasets.credential(dataset_id, version=version, at=time)
            files.write(files.json_bytes(document), out)
            if _is_local(document):
                output.print_warning(f"others cannot fetch the credential's context: {PUBLIC}")
            return
        received = gateway.datasets.certificate(dataset_id, version=version, at=time)
    try:
        evidence = form.parse_bundle(attachment.read(received.page), protocols.PROTOCOLS)
    except InvalidInput as error:
        raise Unavailable(f"The gateway returned an invalid certificate: {error.message}") from error
    target = out or Path(f"{evidence.dataset_id.hex()[:16]}.pdf")
    files.write(received.page, target)
    if not received.has_link:
        output.print_warning(f"the page has no QR code: {PUBLIC}")
    block = evidence.record.block
    if as_json:
        document = {"file": str(target), "bytes": len(received.page), "datasetId": str(evidence.dataset_id)}
        output.print_json(document | {"asOfBlock": block.number, "asOfBlockHash": str(block.hash)})
        return
    output.print_fields(
        {
            "Certificate": f"{target}, {len(received.page):,} bytes",
            "Dataset": evidence.dataset_id,
            "As of": f"block {block.number}, {times.show_time(block.time)}",
            "Block hash": block.hash,
            "Verify": f"tdr verify PATH --bundle {target} {' '.join(command.trust_options(evidence))}",
        }
    )


def _is_local(document: Mapping[str, Any]) -> bool:
    """Return whether a credential names a context that only the gateway's own machine can fetch."""
    contexts = document.get("@context")
    return isinstance(contexts, list) and any(
        isinstance(context, str) and urls.leads_to_this_machine(context) for context in contexts
    )
