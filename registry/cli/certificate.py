"""`tdr certificate`: a dataset's evidence on a page for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from registry.cli import options
from registry.cli.lazy import lazy
from registry.errors import InvalidInput, Unavailable

if TYPE_CHECKING:
    import time as clock

    from registry import client
    from registry.certificate import attachment
    from registry.cli import files, lineage, output, times
    from registry.evidence import bundle as form
else:
    client, clock = lazy("registry.client"), lazy("time")
    attachment = lazy("registry.certificate.attachment")
    files, lineage = lazy("registry.cli.files"), lazy("registry.cli.lineage")
    output, times = lazy("registry.cli.output"), lazy("registry.cli.times")
    form = lazy("registry.evidence.bundle")

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def certificate(
    dataset: Annotated[
        str,
        typer.Argument(
            metavar="ID[@VERSION]", help="The dataset's id or its beginning; and a version, else the latest."
        ),
    ],
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
      tdr verify measurements/ --bundle certificate.pdf --rpc https://my-node.example
      tdr certificate 0x1f2e3d4c@2 --credential -o credential.json
    """
    dataset_id, version = lineage.id_and_version(dataset)
    time = None if at is None else times.parse_time(at, now=int(clock.time()))
    with client.Gateway(gateway_url) as gateway:
        if as_credential:
            files.write(files.json_bytes(gateway.credential(dataset_id, version=version, at=time)), out)
            return
        page = gateway.certificate(dataset_id, version=version, at=time)
    try:
        shown = form.Bundle.parse(attachment.read(page))
    except InvalidInput as error:
        raise Unavailable(f"The gateway answered with no certificate: {error.message}") from error
    target = out or Path(f"{shown.dataset_id.hex()[:16]}.pdf")
    files.write(page, target)
    block = shown.record.block
    if as_json:
        done = {"file": str(target), "bytes": len(page), "datasetId": str(shown.dataset_id)}
        output.print_json(done | {"asOfBlock": block.number, "asOfBlockHash": str(block.hash)})
        return
    output.print_fields(
        {
            "Certificate": f"{target}, {len(page):,} bytes",
            "Dataset": shown.dataset_id,
            "As of": f"block {block.number}, {times.show_time(block.time)}",
            "Block hash": block.hash,
            "Verify": f"tdr verify PATH --bundle {target} --block-hash {block.hash}",
        }
    )
