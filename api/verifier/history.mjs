/** Fold events in the order of the chain into states. */

import { Refused } from "./errors.mjs";
import { readable } from "./json.mjs";
import { MAIN, ROOMS } from "./rooms/catalogue.mjs";

/**
 * @typedef {object} Placed
 * @property {import("./block.mjs").Log} log
 * @property {import("./block.mjs").Header} block
 * @property {number} transaction Its index in the block, from 0.
 * @property {number} index The log's index in the transaction, from 0.
 *
 * @typedef {object} Shown An event, its place, and the states just before it.
 * @property {import("./events.mjs").Event} event
 * @property {Placed} placed
 * @property {import("./rooms/catalogue.mjs").Room} room
 * @property {object | null} before The state of its scope.
 * @property {object | null} subjectBefore The state of the subject.
 *
 * @typedef {object} Proof
 * @property {import("./rooms/catalogue.mjs").Room} room
 * @property {string} subject
 * @property {string | null} account The account beside the subject; null: the subject itself.
 * @property {object | null} state Null if there is no event.
 */

/**
 * Fold the events among logs.
 *
 * @param {Placed[]} logs In the order of the chain.
 * @param {string} subject
 * @param {Record<string, string | null>} contracts The contracts' addresses by name.
 * @param {Map<import("./rooms/catalogue.mjs").Room, string[]>} accounts The accounts to show, by room.
 * @returns {{shown: Shown[], main: Proof, proofs: Proof[]}} Each event; the proof of the subject itself; the proofs of
 *   all states, the subject's first.
 * @throws {Refused} There is no registration, or an event cannot follow the previous one.
 */
export function historyOf(logs, subject, contracts, accounts) {
  const rooms = ROOMS.filter(({ contract }) => contracts[contract]);
  const main = { room: MAIN, subject, account: null, state: null };
  const beside = [...accounts].flatMap(([room, named]) =>
    named.map((account) => ({ room, subject, account, state: null })),
  );
  const proofs = [main, ...beside];
  const shown = [];
  for (const placed of logs) {
    const { log, block } = placed;
    const room = rooms.find(({ contract }) => contracts[contract].toLowerCase() === log.address);
    const event = room?.decode(log);
    if (event?.subject !== subject) continue;
    const proof = proofs.find((one) => one.room === room && one.account === event.account);
    if (!proof) continue;
    shown.push({ event, placed, room, before: proof.state, subjectBefore: main.state });
    proof.state = room.fold(proof.state, event, block.time);
  }
  if (!main.state) throw new Refused(`The registration of the subject ${subject} is not among the events.`);
  return { shown, main, proofs };
}

/** Return the record as of a block that is not earlier than the last event, in the form of bundles. */
export function recordOf({ shown, proofs }, block) {
  const record = {
    block: { hash: block.hash, number: block.number, time: block.time },
    events: shown.map(({ event: { name, values }, placed }) => ({
      block: placed.block.number,
      event: name,
      log: placed.index,
      time: placed.block.time,
      transaction: placed.transaction,
      values: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, readable(value)])),
    })),
  };
  for (const room of ROOMS) {
    const { field, make, account } = room.part;
    const made = proofs.filter((proof) => proof.room === room).map((proof) => make(proof.account, proof.state));
    record[field] = account ? made : made[0];
  }
  return record;
}
