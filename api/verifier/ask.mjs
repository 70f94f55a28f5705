/** Ask a node chosen by the reader for its blocks. Verification itself does not need a network. */

import { Refused } from "./errors.mjs";

/**
 * @param {string} url A JSON-RPC endpoint.
 * @param {Iterable<number>} heights
 * @param {typeof fetch} send
 * @returns {Promise<{name: string, chainId: number, blocks: Record<string, string>}>} For a policy's `nodes`.
 * @throws {Refused} The node cannot be reached, or does not answer.
 */
export async function askNode(url, heights, send = fetch) {
  const call = async (method, params) => {
    let answer;
    try {
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
      const response = await send(url, { method: "POST", headers: { "Content-Type": "application/json" }, body });
      answer = await response.json();
    } catch (error) {
      throw new Refused(`${url} cannot be asked: ${error.message}.`, "", { kind: "unreachable", url });
    }
    if (answer?.result === undefined) {
      throw new Refused(`${url} does not answer ${method}.`, "", { kind: "unreachable", url });
    }
    return answer.result;
  };
  const chainId = Number(await call("eth_chainId", []));
  const blocks = {};
  for (const height of heights) {
    const block = await call("eth_getBlockByNumber", [`0x${height.toString(16)}`, false]);
    if (/^0x[0-9a-f]{64}$/.test(block?.hash)) blocks[height] = block.hash;
  }
  return { name: url, chainId, blocks };
}
