"""Small contracts in EVM assembly, each for one behaviour."""

from __future__ import annotations


def init_code(runtime: bytes) -> str:
    """Initialisation code that deploys `runtime`, as 0x-prefixed hex."""
    # PUSH2 length, DUP1, PUSH1 offset, PUSH0, CODECOPY, PUSH0, RETURN
    prologue = bytes.fromhex("61") + len(runtime).to_bytes(2, "big") + bytes.fromhex("80600a5f395ff3")
    return "0x" + (prologue + runtime).hex()


STORES_AND_LOGS = bytes.fromhex(
    "5f35"
    "6001"
    "55"  # storage[1] = calldata[0:32]
    "5f35"
    "5f"
    "52"  # memory[0:32] = calldata[0:32]
    "33"
    "5f35"
    "6020"
    "5f"
    "a2"  # log2(memory[0:32]; calldata[0:32], caller)
    "5f54"
    "5f52"
    "60205ff3"  # return storage[0]
)
"""Stores its argument in slot 1 and logs it: (argument, caller). Its gas does not depend on the block's time."""

STORES_TIME_AND_LOGS = bytes.fromhex("425f55") + STORES_AND_LOGS
"""Stores the block's time in slot 0, then does the same."""

RETURNS_TIME = bytes.fromhex("425f5260205ff3")
"""Returns the block's time."""

REVERTS = bytes.fromhex("63deadbeef5f526004601cfd")
"""Reverts with 0xdeadbeef."""

CALLS_ITSELF = bytes.fromhex("5f5f5f5f5f305af100")
"""Calls itself with all gas, as deep as it goes."""
