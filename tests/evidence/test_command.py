"""The options that are printed for a bundle verify it, and no fewer do."""

from __future__ import annotations

import itertools

import pytest

from registry.base.errors import VerificationFailed
from registry.base.primitives import Bytes32
from registry.evidence.bundle import parse_bundle
from registry.evidence.command import trust_options
from registry.evidence.trust import PinnedBlocks
from registry.evidence.verify import verify
from registry.rooms.protocols import PROTOCOLS
from tests.evidence.stories import Story


def pinned(options: tuple[str, ...]) -> PinnedBlocks:
    """The trust that some options name, as `tdr verify` reads them."""
    given = [option.split(" ") for option in options]
    chain_ids = [int(value) for name, value in given if name == "--chain-id"]
    return PinnedBlocks(
        {Bytes32.parse(value) for name, value in given if name == "--block-hash"}, chain_ids[0] if chain_ids else None
    )


def test_the_options_of_every_bundle_verify_it_and_none_of_them_is_idle(stories: dict[str, Story]) -> None:
    lengths = set()
    for story in stories.values():
        options = trust_options(parse_bundle(story.bundle, PROTOCOLS))
        verify(story.bundle, pinned(options), PROTOCOLS)
        for fewer in itertools.combinations(options, len(options) - 1):
            with pytest.raises(VerificationFailed):
                verify(story.bundle, pinned(fewer), PROTOCOLS)
        lengths.add(len(options))
    assert len(lengths) > 1
