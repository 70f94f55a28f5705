"""`tdr certificate`: a dataset's evidence on a page for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from registry.base.errors import InvalidInput, Unavailable
from registry.cli import ids, options
from registry.cli.lazy import lazy

if TYPE_CHECKING:
    import time as clock

    from registry.base import urls
    from registry.certificate import attachment
    from registry.cli import files, output, times
    from registry.evidence import bundle as form
    from registry.evidence import command
    from registry.sdk import client
else:
    client, clock, urls = lazy("registry.sdk.client"), lazy("time"), lazy("registry.base.urls")
    attachment = lazy("registry.certificate.attachment")
    files = lazy("registry.cli.files")
    output, times = lazy("registry.cli.output"), lazy("registry.cli.times")
    form, command = lazy("registry.evidence.bundle"), lazy("registry.evidence.command")

PUBLIC: Final = "its gateway has no public address. Set TDR_PUBLIC_URL for `tdr up` to the address that others reach."

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def certificate(
    dataset: options.VersionedArgument,
    out: Annotated[
        Path | None, typer.Option("-o", "--output", parser=options.to_path, metavar="FILE", help="Where to write it.")
    ] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="As of when; else now.")] = None,
    as_credential: Annotated[
        bool,
        typer.Option("--credential", help="In place of the page: a W3C Verifiable Credential."),
    ] = False,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: options.AsJson = False,
) -> None:
    """Write the certificate of a dataset: one page in Chinese and English, the evidence attached inside the PDF.

    It verifies offline like the evidence itself.

    \b
    Examples:
      tdr certificate 0x1f2e3d4c -o certificate.pdf
      tdr verify measurements/ --bundle certificate.pdf --block-hash 0x5a90...
      tdr certificate 0x1f2e3d4c@2 --credential -o credential.json
    """
    dataset_id, version = ids.id_and_version(dataset)
    time = None if at is None else times.parse_time(at, now=int(clock.time()))
    with client.Gateway(gateway_url) as gateway:
        if as_credential:
            document = gateway.credential(dataset_id, version=version, at=time)
            files.write(files.json_bytes(document), out)
            if _is_local(document):
                output.print_warning(f"others cannot fetch the credential's context: {PUBLIC}")
            return
        made = gateway.certificate(dataset_id, version=version, at=time)
    try:
        shown = form.Bundle.parse(attachment.read(made.page))
    except InvalidInput as error:
        raise Unavailable(f"The gateway answered with no certificate: {error.message}") from error
    target = out or Path(f"{shown.dataset_id.hex()[:16]}.pdf")
    files.write(made.page, target)
    if not made.has_link:
        output.print_warning(f"the page has no code to scan: {PUBLIC}")
    block = shown.record.block
    if as_json:
        done = {"file": str(target), "bytes": len(made.page), "datasetId": str(shown.dataset_id)}
        output.print_json(done | {"asOfBlock": block.number, "asOfBlockHash": str(block.hash)})
        return
    output.print_fields(
        {
            "Certificate": f"{target}, {len(made.page):,} bytes",
            "Dataset": shown.dataset_id,
            "As of": f"block {block.number}, {times.show_time(block.time)}",
            "Block hash": block.hash,
            "Verify": f"tdr verify PATH --bundle {target} {' '.join(command.trust_options(shown))}",
        }
    )


def _is_local(document: Mapping[str, Any]) -> bool:
    """Whether a credential names a context that only the gateway's own machine reaches."""
    contexts = document.get("@context")
    return isinstance(contexts, list) and any(
        isinstance(one, str) and urls.leads_to_this_machine(one) for one in contexts
    )
