// Signs a note with Node's own Ed25519, as C2SP's signed-note and tlog-cosignature say: `node notes.mjs > notes.json`.
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";

const text = `tdr-checkpoint/1
chain 1952776192
height 4711
block 0x${"5a".repeat(32)}
`;
const time = 1795000000;

function key(name, kind, seedByte) {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, seedByte)]);
  const secret = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const raw = createPublicKey(secret).export({ format: "der", type: "spki" }).subarray(-32);
  const typed = Buffer.concat([Buffer.from([kind]), raw]);
  const id = createHash("sha256").update(Buffer.concat([Buffer.from(`${name}\n`), typed])).digest().subarray(0, 4);
  return { name, secret, id, vkey: `${name}+${id.toString("hex")}+${typed.toString("base64")}` };
}

function line(key, signed, prefix) {
  const signature = sign(null, Buffer.from(signed), key.secret);
  return `\u2014 ${key.name} ${Buffer.concat([key.id, prefix, signature]).toString("base64")}\n`;
}

const node = key("registry.example/node", 1, 1);
const witness = key("witness.example/w1", 4, 2);
const stated = Buffer.alloc(8);
stated.writeBigUInt64BE(BigInt(time));

const vectors = {
  text,
  time,
  node: node.vkey,
  nodeSeed: "01".repeat(32),
  witness: witness.vkey,
  witnessSeed: "02".repeat(32),
  note: `${text}\n${line(node, text, Buffer.alloc(0))}${line(witness, `cosignature/v1\ntime ${time}\n${text}`, stated)}`,
};
console.log(JSON.stringify(vectors, null, 1));
