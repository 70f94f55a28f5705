/**
 * Trust policies: how a reader decides that a block belongs to the chain. A policy is chosen, never assumed.
 *
 * - `{hashes, chainId?}`: the reader knows the blocks' hashes.
 * - `{nodes: [{name, chainId, blocks: {height: hash}}]}`: the answers of nodes, fetched beforehand; all must agree.
 * - `{node, witnesses, threshold}`: checkpoints signed by the node and by at least `threshold` of the witnesses.
 */

import { Refused } from "./errors.mjs";
import { isCosigner, parseKey, requireSignedBy } from "./notes.mjs";
import * as is from "./shape.mjs";

const POLICIES = [
  ["hashes", is.objectOf({ hashes: is.arrayOf(is.bytes32), chainId: is.nullable(is.count) }), byHashes],
  ["nodes", is.objectOf({ nodes: is.arrayOf(node) }), byNodes],
  ["node", is.objectOf({ node: is.text, witnesses: is.arrayOf(is.text), threshold: is.count }), byCheckpoints],
];

/** @typedef {{chainId: number, blocks: Map<number, string>, notes: object[]}} Claim The blocks that must be vouched for. */

/**
 * Return a policy from its JSON form.
 *
 * @param {object} policy
 * @returns {{namesTheChain: boolean, vouch: (claim: Claim) => object}} `vouch` throws a `Refused`, or returns the
 *   authority.
 * @throws {Refused} It is not a policy.
 */
export function trustOf(policy) {
  is.anyObject(policy, "the policy");
  for (const [key, check, make] of POLICIES) {
    if (Object.hasOwn(policy, key)) {
      const whole = key === "hashes" ? { ...policy, chainId: policy.chainId ?? null } : policy;
      return make(check(whole, "the policy"));
    }
  }
  const message = "A policy of trust has hashes, or nodes, or a node with witnesses and a threshold.";
  throw new Refused(message, "", { kind: "noTrust" });
}

function byHashes({ hashes, chainId }) {
  const known = new Set(hashes);
  return {
    namesTheChain: chainId !== null,
    vouch(claim) {
      if (chainId !== null && claim.chainId !== chainId) {
        const reason = { kind: "otherChain", found: claim.chainId, chainId };
        throw new Refused(`The bundle is of chain ${claim.chainId}, not of chain ${chainId}.`, "", reason);
      }
      for (const [height, hash] of claim.blocks) {
        if (!known.has(hash)) {
          throw new Refused(
            `The bundle needs the block ${hash} at height ${height}, which is not among those given.`,
            `Give the hash that you have from another source for each of: ${[...claim.blocks.keys()].join(", ")}.`,
            { kind: "hashUnknown", hash, height },
          );
        }
      }
      return { kind: "hashes", count: claim.blocks.size };
    },
  };
}

function byNodes({ nodes }) {
  return {
    namesTheChain: true,
    vouch(claim) {
      if (!nodes.length) throw new Refused("At least one node must be asked.");
      for (const { name, chainId, blocks } of nodes) {
        if (chainId !== claim.chainId) {
          const reason = { kind: "otherChain", found: claim.chainId, chainId };
          throw new Refused(`${name} has chain ${chainId}, the bundle ${claim.chainId}.`, "", reason);
        }
        for (const [height, hash] of claim.blocks) {
          const found = Object.hasOwn(blocks, height) ? `the block ${blocks[height]}` : "no block";
          if (blocks[height] !== hash) {
            const message = `${name} has ${found} at height ${height}, the bundle ${hash}.`;
            throw new Refused(message, "", { kind: "nodeDisagrees", name, height });
          }
        }
      }
      return { kind: "nodes", names: nodes.map((one) => one.name) };
    },
  };
}

function byCheckpoints(policy) {
  const key = parseKey(policy.node);
  const witnesses = policy.witnesses.map(parseKey);
  const publics = new Set(witnesses.map((witness) => witness.bytes.join()));
  if (publics.size !== witnesses.length || publics.has(key.bytes.join()) || !witnesses.every(isCosigner)) {
    throw new Refused("Each witness has a cosigning key of its own.");
  }
  if (isCosigner(key)) throw new Refused("The node's key is one that signs notes.");
  if (policy.threshold > witnesses.length) {
    throw new Refused(`Of ${witnesses.length} witnesses, ${policy.threshold} cannot be asked for.`);
  }
  return {
    namesTheChain: true,
    vouch(claim) {
      for (const [height, hash] of claim.blocks) {
        const isFor = (note) => note.chainId === claim.chainId && note.height === height && note.block === hash;
        const note = claim.notes.find(isFor);
        if (!note) {
          const message = `There is no checkpoint for the block ${hash} at height ${height}.`;
          throw new Refused(message, "", { kind: "noCheckpoint", hash, height });
        }
        requireSignedBy(note, key);
        const known = witnesses.filter((witness) => note.lines.some((line) => line.id === witness.id));
        for (const witness of known) requireSignedBy(note, witness);
        if (known.length < policy.threshold) {
          throw new Refused(
            `${known.length} of the ${witnesses.length} witnesses cosigned the checkpoint at height ${height}; ` +
              `${policy.threshold} are needed.`,
            "",
            { kind: "tooFewWitnesses", known: known.length, needed: policy.threshold, height },
          );
        }
      }
      return { kind: "checkpoints", name: key.name, threshold: policy.threshold, witnesses: witnesses.length };
    },
  };
}

function node(value, where) {
  is.objectOf({ name: is.text, chainId: is.count, blocks: is.anyObject })(value, where);
  for (const [height, hash] of Object.entries(value.blocks)) is.bytes32(hash, `the block ${height} of a node`);
}
