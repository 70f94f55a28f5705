"""The options of `tdr register` and `tdr revise`, defined once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from registry.cli import options

PathArguments = Annotated[
    list[Path] | None,
    typer.Argument(
        parser=options.to_path,
        metavar="PATH",
        help="The files and folders. With several, each keeps the last part of its path.",
        show_default=False,
    ),
]
Name = Annotated[str | None, typer.Option("--name", help="A readable name.")]
Description = Annotated[str | None, typer.Option("--description", help="A description.")]
License = Annotated[str | None, typer.Option("--license", help="Its licence, for example CC0-1.0.")]
Keywords = Annotated[list[str] | None, typer.Option("--keyword", help="A keyword; may be repeated.")]
MetadataFile = Annotated[
    Path | None, typer.Option("--metadata", parser=options.to_path, metavar="FILE", help="Metadata as a JSON object.")
]
Uri = Annotated[str, typer.Option("--uri", help="The address of more information; recorded on the chain.")]
Sources = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="ID@VERSION", help="A dataset that this one derives from; may be repeated."),
]
ListFile = Annotated[
    Path | None,
    typer.Option(
        "--list",
        parser=options.to_path,
        metavar="FILE",
        help="Instead of PATH: a list of checksums, or a manifest.",
    ),
]
Private = Annotated[
    bool,
    typer.Option("--private", help="Salt each file's hash, so that content cannot be guessed; requires --manifest."),
]
ManifestFile = Annotated[
    Path | None,
    typer.Option(
        "--manifest", parser=options.to_path, metavar="FILE", help="Where to write the manifest: the list of files."
    ),
]

NoPublish = Annotated[
    bool,
    typer.Option(
        "--no-publish", help="Keep metadata and manifest private; only hashes are sent. `tdr publish` can follow."
    ),
]
KeepMetadata = Annotated[
    Path | None,
    typer.Option(
        "--keep-metadata",
        parser=options.to_path,
        metavar="FILE",
        help="With --no-publish: the file for the metadata, with a salt so that it cannot be guessed.",
    ),
]
