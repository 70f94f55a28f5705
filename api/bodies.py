"""How the gateway reads a body: limits first, then strict JSON, then the model.

The limits hold before anything is parsed. What a JSON reader could take in two ways (equal keys, NaN, unpaired
surrogates) is refused, because signatures are about meaning.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from email.message import Message as MediaType
from hashlib import sha256
from typing import Any, Generic, TypeVar

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from api.problems import LARGE, MALFORMED, MEDIA, SLOW, Refused, invalid
from registry.canonical import canonical_json, read_json
from registry.datasets.messages import Registration, Revision
from registry.eip712 import Message
from registry.errors import InvalidInput
from registry.manifest import Manifest
from registry.primitives import Bytes32

MAX_MESSAGE_BYTES = 64 * 2**10
MAX_DOCUMENTS_BYTES = 32 * 2**20
MAX_METADATA_BYTES = 64 * 2**10
BODY_SECONDS = 30.0

AnySigned = TypeVar("AnySigned", bound=Message)
AnyPublished = TypeVar("AnyPublished", Registration, Revision)


class StrictRequest(Request):
    """A request whose body is read within limits and parsed strictly."""

    max_bytes = MAX_MESSAGE_BYTES

    async def body(self) -> bytes:
        """The body.

        Raises:
            Refused: It is compressed, not JSON by its type, too large, or comes too slowly.
        """
        if not hasattr(self, "_body"):
            self._refuse_by_headers()
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    self._body = await self._read()
            except TimeoutError:
                raise Refused(
                    SLOW, f"The body was not complete after {BODY_SECONDS:.0f} s.", headers={"Connection": "close"}
                ) from None
        return self._body

    async def json(self) -> Any:
        """The body's value.

        Raises:
            Refused: It is not JSON, or ambiguous.
        """
        try:
            body = await self.body()
            # A large text is read in a thread: nobody else's answer waits for it.
            return read_json(body) if len(body) <= MAX_MESSAGE_BYTES else await run_in_threadpool(read_json, body)
        except InvalidInput as error:
            raise Refused(MALFORMED, error.message) from error

    def _refuse_by_headers(self) -> None:
        if self.headers.get("content-encoding", "identity").lower() != "identity":
            raise Refused(MEDIA, "The body is compressed.", headers={"Accept-Encoding": "identity"})
        media = MediaType()
        media["content-type"] = self.headers.get("content-type", "")
        if media.get_content_type() != "application/json" or "content-type" not in self.headers:
            raise Refused(
                MEDIA, "The body has no Content-Type application/json.", headers={"Accept": "application/json"}
            )
        declared = self.headers.get("content-length", "0")
        if not declared.isdigit() or int(declared) > self.max_bytes:
            raise self._too_large()

    async def _read(self) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in self.stream():
            size += len(chunk)
            if size > self.max_bytes:
                raise self._too_large()
            chunks.append(chunk)
        return b"".join(chunks)

    def _too_large(self) -> Refused:
        # The rest of the body is still on its way: the connection cannot be used again.
        return Refused(LARGE, f"The body has more than {self.max_bytes} bytes.", headers={"Connection": "close"})


class _LargeRequest(StrictRequest):
    max_bytes = MAX_DOCUMENTS_BYTES


class StrictRoute(APIRoute):
    """A route whose body holds a signed message."""

    request_class: type[StrictRequest] = StrictRequest

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with the request read strictly."""
        handler = super().get_route_handler()
        request_class = self.request_class

        async def strict(request: Request) -> Response:
            strict_request = request_class(request.scope, request.receive)
            if self.body_field is not None and not await strict_request.body():
                raise Refused(MALFORMED, "The body is empty.")
            return await handler(strict_request)

        return strict


class PublicationRoute(StrictRoute):
    """A route whose body may hold documents too."""

    request_class = _LargeRequest


class Submission(BaseModel, Generic[AnySigned]):
    """A message and its signature."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    message: AnySigned = Field(description="The message, field by field as it was signed.")
    signature: str = Field(
        pattern=r"^0x([0-9a-fA-F]{2}){65,4096}$",
        strict=True,
        description="The signer's EIP-712 signature: 65 bytes, or what an ERC-1271 wallet takes (up to 4096).",
        examples=["0x" + "1b" * 65],
    )

    @property
    def signature_bytes(self) -> bytes:
        """The signature."""
        return bytes.fromhex(self.signature[2:])


class Publication(Submission[AnyPublished], Generic[AnyPublished]):
    """A message about content and its signature, with the documents that its hashes are of, if they may be public."""

    metadata: dict[str, Any] | None = Field(
        None, description="The metadata; the SHA-256 of its canonical JSON (RFC 8785) is the message's metadataHash."
    )
    manifest: dict[str, Any] | None = Field(
        None, description="The manifest (tdr-manifest/1) whose root is the message's contentRoot; without salts."
    )

    def check_metadata(self) -> bytes | None:
        """The metadata in canonical form; None if none was sent.

        Raises:
            Refused: It is not what the message's hash is of.
        """
        if self.metadata is None:
            return None
        try:
            canonical = canonical_json(self.metadata)
        except InvalidInput as error:
            raise invalid("body.metadata", error.message) from None
        if len(canonical) > MAX_METADATA_BYTES:
            raise invalid("body.metadata", f"it has {len(canonical)} bytes, and at most {MAX_METADATA_BYTES} are kept")
        found = Bytes32(sha256(canonical).digest())
        if found != self.message.metadata_hash:
            raise invalid("body.metadata", f"its hash is {found}, but metadataHash is {self.message.metadata_hash}")
        return canonical

    def check_manifest(self) -> Manifest | None:
        """The manifest; None if none was sent. Takes a second where there are many files.

        Raises:
            Refused: It is malformed, private, or not what the message's root is of.
        """
        if self.manifest is None:
            return None
        try:
            manifest = Manifest.parse(self.manifest)
        except InvalidInput as error:
            raise invalid("body.manifest", error.message, hint=error.hint) from None
        if manifest.root != self.message.content_root:
            raise invalid(
                "body.manifest", f"its root is {manifest.root}, but contentRoot is {self.message.content_root}"
            )
        if manifest.is_private:
            raise invalid("body.manifest", "it holds salts, which would be public here", hint="Keep it, and send none.")
        return manifest
