"""`tdr watch`: verify files repeatedly, and report when they differ from what was registered."""

from __future__ import annotations

import json
import sys
import time as clock
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from registry.base.errors import InvalidInput, RegistryError, Unavailable
from registry.cli import options
from registry.cli.lazy import lazy
from registry.cli.rooms.datasets import comparison_options, ids

if TYPE_CHECKING:
    from registry import manifest
    from registry.cli import output, times
    from registry.cli.rooms.datasets import chain_record, content, watching
    from registry.sdk import client
    from registry.verification import chain as by_chain
    from registry.verification import report
else:
    client, manifest = lazy("registry.sdk.client"), lazy("registry.manifest")
    by_chain, content = lazy("registry.verification.chain"), lazy("registry.cli.rooms.datasets.content")
    report = lazy("registry.verification.report")
    output, times = lazy("registry.cli.output"), lazy("registry.cli.times")
    chain_record = lazy("registry.cli.rooms.datasets.chain_record")
    watching = lazy("registry.cli.rooms.datasets.watching")

MAX_INTERVAL = 3650 * 86_400

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def watch(
    path: Annotated[Path, typer.Argument(parser=options.to_path, metavar="PATH", help="The file or folder.")],
    dataset: Annotated[str, typer.Option("--dataset", metavar="ID[@VERSION]", help="The dataset to compare with.")],
    version: Annotated[
        int | None, typer.Option("--version", help="The version.  [default: the latest at each check]")
    ] = None,
    manifest_file: comparison_options.ManifestFile = None,
    rpc_urls: comparison_options.Nodes = None,
    every: Annotated[str, typer.Option("--every", metavar="DURATION", help="The interval between two checks.")] = "1h",
    on_change: Annotated[
        bool, typer.Option("--on-change", help="Also verify as soon as files are written, created, renamed or removed.")
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="Verify once and exit with the exit code of `tdr verify`.")
    ] = False,
    exit_on_drift: Annotated[
        bool, typer.Option("--exit-on-drift", help="Exit with code 1 as soon as files differ.")
    ] = False,
    webhook: Annotated[
        str | None, typer.Option("--webhook", metavar="URL", help="The address to POST changes to, as JSON.")
    ] = None,
    gateway_url: options.GatewayUrl = options.GATEWAY_URL,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per check, each on one line.")] = False,
) -> None:
    """Verify files repeatedly, and report when they differ from what was registered.

    Each check reads the chain and hashes every file. With --on-change the files' times and sizes are read every two
    seconds; a change that leaves both the same is only found by the checks of --every.

    \b
    Examples:
      tdr watch measurements/ --dataset 0x1f2e3d4c --every 6h --webhook https://example.org/alarm
      tdr watch measurements/ --dataset 0x1f2e3d4c --on-change --exit-on-drift
    """
    dataset, version = ids.id_and_version(dataset, version)
    interval = times.duration(every)
    if not 1 <= interval <= MAX_INTERVAL:
        raise InvalidInput(f"--every must be from 1 second to 3650 days; got {every!r}.")
    known_manifest = None if manifest_file is None else content.read_list(manifest_file)
    url = None if webhook is None else watching.checked_webhook(webhook)
    notifier = watching.ChangeNotifier(lambda seen: None if url is None else watching.post(url, seen))
    was_there = False
    with client.Client(gateway_url) as gateway:
        while True:
            was_there = was_there or not watching.is_gone(path)
            before = watching.fingerprint(path)
            seen = _check(path, dataset, version, rpc_urls, known_manifest, gateway, was_there=was_there)
            _print(seen, as_json=as_json)
            try:
                notifier.notify(seen)
            except Unavailable as error:
                sys.stderr.write(f"error: {output.one_line(str(error))}\n")
            if once or (exit_on_drift and seen.outcome is watching.Outcome.DRIFT):
                raise typer.Exit({"intact": 0, "drift": 1, "unknown": 2}[seen.outcome.value])
            _wait(path, before, interval, on_change=on_change)


def _check(
    path: Path,
    dataset: str,
    version: int | None,
    rpc_urls: list[str] | None,
    known_manifest: manifest.Manifest | None,
    gateway: client.Client,
    *,
    was_there: bool,
) -> watching.Observation:
    result = report.Report()
    outcome, reason = watching.Outcome.UNKNOWN, ""
    try:
        record, named = chain_record.read_record(dataset, version, rpc_urls or (), {}, gateway)
        result = record.report
        listed = known_manifest or chain_record.served_manifest(gateway, record.version.content_root)
        result = by_chain.verify_with_record(record, content.files_of([path]), listed, named)
        outcome = watching.Outcome.INTACT if result.verified else watching.Outcome.DRIFT
    except RegistryError as error:
        reason = str(error)
        if was_there and result.record and watching.is_gone(path):
            outcome, reason = watching.Outcome.DRIFT, "The path no longer exists."
    return watching.Observation(int(clock.time()), str(path), outcome, reason, result.to_json())


def _wait(path: Path, before: bytes, interval: int, *, on_change: bool) -> None:
    """Wait until the next check is due: after the interval, or after a change once the files are stable again."""
    limit = clock.monotonic() + interval
    seen = before
    while (remaining := limit - clock.monotonic()) > 0:
        clock.sleep(min(remaining, watching.LOOK_SECONDS) if on_change else remaining)
        if on_change:
            last, seen = seen, watching.fingerprint(path)
            if seen == last != before:
                return


def _print(seen: watching.Observation, *, as_json: bool) -> None:
    if as_json:
        output.print_line(json.dumps(seen.to_json(), ensure_ascii=False))
    else:
        document = seen.to_json()
        block = "" if document["asOfBlock"] is None else f"  as of block {document['asOfBlock']}"
        output.print_line(f"{document['time']}  {seen.outcome.value.upper()}{block}")
        for mismatch in document["mismatches"]:
            difference = report.Difference(mismatch["path"], mismatch["expected"], mismatch["found"])
            output.print_line(f"  {output.plain(difference)}")
        if seen.reason:
            output.print_line(f"  {output.plain(seen.reason)}")
    sys.stdout.flush()
