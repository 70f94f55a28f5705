/**
 * The rooms of this verifier, one per line, the room of the subject itself first.
 *
 * @typedef {object} Room
 * @property {string} contract The contract whose logs and storage prove the room's state.
 * @property {Record<string, string>} references The contracts whose addresses are immutables of its code, by the
 *   immutables' names.
 * @property {(log: import("../block.mjs").Log) => import("../events.mjs").Event | null} decode
 * @property {(state: object | null, event: import("../events.mjs").Event, time: number) => object} fold The state after
 *   one more event; the state before the first is null. Throws a `Refused` for an event that cannot follow.
 * @property {Record<string, string>} messages The EIP-712 type string of each message, by its name.
 * @property {(name: string, message: object) => void} requireMessage Throws a `Refused` for values that no message has.
 * @property {(name: string, message: object, before: object | null, time: number) => object | null} expected The event
 *   that a message leads to, its name and values; null if it cannot have an effect in that state.
 * @property {(name: string, message: object) => string | null} namedSigner The account that must sign; null: the
 *   subject's owner.
 * @property {(subject: string, account: string | null, state: object | null) => [Uint8Array, string][]} slots The
 *   value that each slot of the contract's storage must have.
 * @property {(account: string | null, expected: string, found: string) => string} difference How a slot differs.
 * @property {{field: string, check: Function, make: Function, account: Function | null}} part The room's part of the
 *   record: of the subject itself, or one for each account beside it.
 * @property {(count: number, events: {event: object, time: number}[]) => {kind: string}[]} limits What remains unproven.
 * @property {{en: object, zh: object}} texts The sentences of the room's own step and limits.
 * @property {((state: object) => string)=} owner The subject's owner.
 * @property {((state: object) => {contentRoot: string, metadataHash: string}[])=} versions
 * @property {((record: object, version: number) => object)=} summary A summary of the subject.
 */

import { access } from "./access.mjs";
import { datasets } from "./datasets.mjs";

/** @type {Room[]} */
export const ROOMS = [datasets, access];

/** The room of the subject that a bundle of format 1 is about. */
export const MAIN = ROOMS.find(({ part }) => part.account === null);

/** Return the room of a contract. @param {string} contract */
export function roomOf(contract) {
  return ROOMS.find((room) => room.contract === contract);
}
