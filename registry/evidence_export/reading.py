"""Read the contents of a bundle from a chain: headers, receipts, signed messages and the state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from registry.base.errors import InvalidInput, Unavailable, VerificationFailed
from registry.chain.client import Chain, RpcError, decoding
from registry.chain.history import ask
from registry.ethereum.header import Header, encode_header
from registry.ethereum.logs import Moment
from registry.ethereum.receipts import decode_receipt, encode_receipt, receipt_key, receipts_trie
from registry.ethereum.state import account_at, slot_at
from registry.ethereum.trie import Nodes
from registry.evidence import bundle as form
from registry.evidence.record import History, LocatedLog
from registry.evidence.signatures import require_signed
from registry.evidence_export.messages import read_call
from registry.rooms.deployment import Deployment
from registry.rooms.protocol import Protocols

_HEADERS_AT_ONCE = 100
_SLOTS_AT_ONCE = 256


def headers_of(chain: Chain, spans: Sequence[Sequence[int]]) -> dict[int, bytes]:
    """Return the headers at some heights, by height."""
    heights = [height for span in spans for height in span]
    headers: dict[int, bytes] = {}
    for start in range(0, len(heights), _HEADERS_AT_ONCE):
        part = heights[start : start + _HEADERS_AT_ONCE]
        blocks = ask(chain, [("eth_getBlockByNumber", [hex(height), False]) for height in part])
        # A chain that does not hash its headers as Ethereum does gives no false answer, and has a message of its own.
        with decoding("The node does not have all the blocks that the evidence needs.", passing=(InvalidInput,)):
            headers |= {height: encode_header(block) for height, block in zip(part, blocks, strict=True)}
    return headers


def receipts_of(
    chain: Chain, moments: Sequence[Moment], headers: Mapping[int, Header]
) -> tuple[tuple[form.Receipts, ...], list[LocatedLog], dict[tuple[int, int], str]]:
    """Return the proofs of receipts, the logs in them, and the hash of each transaction by its place."""
    parts: list[form.Receipts] = []
    located: list[LocatedLog] = []
    transactions: dict[tuple[int, int], str] = {}
    for height, group in groupby(sorted(moments), key=lambda moment: moment.block_number):
        (receipts,) = ask(chain, [("eth_getBlockReceipts", [hex(height)])])
        hashes = {str(moment.transaction_hash) for moment in group}
        with decoding(f"The node returned malformed receipts for block {height}."):
            indices = [index for index, receipt in enumerate(receipts or ()) if receipt["transactionHash"] in hashes]
            trie = receipts_trie(receipts or ())
        if len(indices) != len(hashes) or trie.root != headers[height].receipts_root:
            raise Unavailable(f"The receipts that the node returned for block {height} are not those of the block.")
        for index in indices:
            transactions[height, index] = receipts[index]["transactionHash"]
            logs = decode_receipt(encode_receipt(receipts[index])).logs
            located += [LocatedLog(log, headers[height], index, position) for position, log in enumerate(logs)]
        nodes = trie.proof(receipt_key(index) for index in indices)
        parts.append(form.Receipts(block=height, nodes=nodes, transactions=tuple(indices)))
    return tuple(parts), located, transactions


def messages_of(
    chain: Chain,
    chain_id: int,
    history: History,
    transactions: Mapping[tuple[int, int], str],
    protocols: Protocols,
) -> Iterable[form.SignedMessage]:
    """Return the signed message of each event whose transaction has one with an ECDSA signature of the signer."""
    hashes = list(transactions.values())
    carried = ask(chain, [("eth_getTransactionByHash", [transaction]) for transaction in hashes])
    with decoding("The node returned a malformed transaction."):
        inputs = {
            transaction: bytes.fromhex(answer["input"][2:])
            for transaction, answer in zip(hashes, carried, strict=True)
            if answer is not None
        }
    for index, shown in enumerate(history.events):
        call = read_call(
            inputs.get(transactions[shown.located.block.number, shown.located.transaction], b""), protocols
        )
        if call is None:
            continue
        message, signature = call
        try:
            require_signed(shown, message, signature, chain_id, protocols)
        except (VerificationFailed, InvalidInput):
            continue  # The message belongs to another event, or only a contract wallet can check its signature.
        yield form.SignedMessage(event=index, message=message.to_json(), signature=signature)


def state_of(
    chain: Chain, deployment: Deployment, history: History, header: Header, protocols: Protocols
) -> tuple[bytes, ...] | None:
    """Return the trie nodes of the slots that prove a history; None if the node does not have that state."""
    parts = [
        (deployment.address_of(contract), slots[start : start + _SLOTS_AT_ONCE])
        for contract in protocols.contracts
        if (slots := [slot for proof in history.proofs if proof.contract == contract for slot in proof.slots])
        for start in range(0, len(slots), _SLOTS_AT_ONCE)
    ]
    given: dict[bytes, None] = {}
    for address, slots in parts:
        try:
            proof = chain.request("eth_getProof", [str(address), [str(slot) for slot in slots], hex(header.number)])
        except RpcError:
            return None
        with decoding("The node returned a malformed proof of its state."):
            for node in [*proof["accountProof"], *(node for slot in proof["storageProof"] for node in slot["proof"])]:
                given[bytes.fromhex(node[2:])] = None
    nodes = Nodes(given)
    with decoding("The node's proof of its state does not lead to the slots of the evidence."):
        for address, slots in parts:
            account = account_at(nodes, header.state_root, address)
            for slot in slots:
                slot_at(nodes, account.storage_root, slot)
    return nodes.read
