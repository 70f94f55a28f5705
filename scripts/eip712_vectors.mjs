// Signs every message in several shapes with viem, a wallet library that shares no code with the registry, and writes
// tests/vectors/eip712/vectors.json. Deterministic: fixed keys and values, RFC 6979 signatures.
//
//     node scripts/eip712_vectors.mjs

import { writeFileSync } from "node:fs";
import { hashTypedData, keccak256, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";

const field = (declaration) => {
  const [type, name] = declaration.split(" ");
  return { name, type };
};
const struct = (declarations) => declarations.split(",").map(field);

const SOURCE = { Source: struct("uint256 datasetId,uint24 version") };
const TYPES = {
  Registration: {
    Registration: struct(
      "address owner,bytes32 contentRoot,bytes32 metadataHash,string uri,bytes32 salt,Source[] sources,uint64 deadline",
    ),
    ...SOURCE,
  },
  Revision: {
    Revision: struct(
      "uint256 datasetId,bytes32 head,bytes32 contentRoot,bytes32 metadataHash,string uri,Source[] sources,uint64 deadline",
    ),
    ...SOURCE,
  },
  TitleTransfer: { TitleTransfer: struct("uint256 datasetId,bytes32 head,address to,uint64 deadline") },
  Withdrawal: { Withdrawal: struct("uint256 datasetId,bytes32 head,string reason,uint64 deadline") },
  AccessRequest: {
    AccessRequest: struct(
      "uint256 datasetId,address grantee,uint32 rights,uint48 expiresAt,string purpose,uint32 requests,uint64 deadline",
    ),
  },
  AccessGrant: {
    AccessGrant: struct(
      "uint256 datasetId,address grantee,uint32 rights,uint48 startsAt,uint48 expiresAt,bytes32 termsHash,uint32 epoch,uint64 deadline",
    ),
  },
  AccessRevocation: {
    AccessRevocation: struct("uint256 datasetId,address grantee,uint32 epoch,uint64 deadline"),
  },
};
const CONTRACT_OF = (type) => (type.startsWith("Access") ? "AccessGrants" : "DatasetRegistry");

/** Any 32 bytes that look random, the same in every run. */
const word = (seed) => keccak256(toHex(`vector ${seed}`));
const account = (seed) => privateKeyToAccount(word(`key ${seed}`));
const ALICE = account("alice");
const BOB = account("bob");
const ZERO = `0x${"00".repeat(32)}`;
const ONES = `0x${"ff".repeat(32)}`;
const DEADLINE = 1_900_000_000;
const MAX_DEADLINE = Number.MAX_SAFE_INTEGER; // the largest that every JSON reader keeps exactly
const TEXTS = {
  empty: "",
  url: "https://data.example.org/penguins/2026/metadata.json?lang=en",
  chinese: "可信数据登记：企鹅数据集（第二版）",
  emoji: "📊 e\u0301 is not é",
  longest: "x".repeat(512),
};
const SOURCES = {
  none: [],
  one: [{ datasetId: word("source"), version: 1 }],
  three: [
    { datasetId: ZERO, version: 1 },
    { datasetId: word("source"), version: 7 },
    { datasetId: ONES, version: 2 ** 24 - 1 },
  ],
};

const registration = (uri, sources, more = {}) => ({
  owner: ALICE.address, contentRoot: word("root"), metadataHash: word("metadata"), uri, salt: word("salt"), sources,
  deadline: DEADLINE, ...more,
});
const revision = (uri, sources, more = {}) => ({
  datasetId: word("dataset"), head: word("head"), contentRoot: word("root 2"), metadataHash: word("metadata 2"), uri,
  sources, deadline: DEADLINE, ...more,
});
const transfer = (more = {}) => ({
  datasetId: word("dataset"), head: word("head"), to: BOB.address, deadline: DEADLINE, ...more,
});
const withdrawal = (reason, more = {}) => ({
  datasetId: word("dataset"), head: word("head"), reason, deadline: DEADLINE, ...more,
});
const request = (purpose, more = {}) => ({
  datasetId: word("dataset"), grantee: ALICE.address, rights: 1, expiresAt: 1_950_000_000, purpose, requests: 0,
  deadline: DEADLINE, ...more,
});
const grant = (more = {}) => ({
  datasetId: word("dataset"), grantee: BOB.address, rights: 3, startsAt: 1_850_000_000, expiresAt: 1_950_000_000,
  termsHash: word("terms"), epoch: 0, deadline: DEADLINE, ...more,
});
const revocation = (more = {}) => ({
  datasetId: word("dataset"), grantee: BOB.address, epoch: 1, deadline: DEADLINE, ...more,
});
const MAX_32 = 2 ** 32 - 1;
const MAX_48 = 2 ** 48 - 1;

const SHAPES = [
  ["Registration", "empty uri, no sources", registration(TEXTS.empty, SOURCES.none)],
  ["Registration", "url, one source", registration(TEXTS.url, SOURCES.one)],
  ["Registration", "chinese uri, three sources", registration(TEXTS.chinese, SOURCES.three)],
  ["Registration", "longest uri", registration(TEXTS.longest, SOURCES.none)],
  ["Registration", "zero metadata, highest numbers", registration(TEXTS.emoji, SOURCES.three, {
    contentRoot: ONES, metadataHash: ZERO, salt: ZERO, deadline: MAX_DEADLINE })],
  ["Revision", "empty uri, no sources", revision(TEXTS.empty, SOURCES.none)],
  ["Revision", "url, one source", revision(TEXTS.url, SOURCES.one)],
  ["Revision", "chinese uri, three sources", revision(TEXTS.chinese, SOURCES.three)],
  ["Revision", "highest numbers", revision(TEXTS.longest, SOURCES.three, {
    datasetId: ONES, head: ONES, contentRoot: ONES, metadataHash: ZERO, deadline: MAX_DEADLINE })],
  ["TitleTransfer", "plain", transfer()],
  ["TitleTransfer", "highest numbers", transfer({ datasetId: ONES, head: ONES, deadline: MAX_DEADLINE })],
  ["TitleTransfer", "deadline zero", transfer({ deadline: 0 })],
  ["Withdrawal", "empty reason", withdrawal(TEXTS.empty)],
  ["Withdrawal", "chinese reason", withdrawal(TEXTS.chinese)],
  ["Withdrawal", "longest reason", withdrawal(TEXTS.longest, { deadline: MAX_DEADLINE })],
  ["AccessRequest", "empty purpose", request(TEXTS.empty)],
  ["AccessRequest", "chinese purpose", request(TEXTS.chinese, { requests: 5 })],
  ["AccessRequest", "highest numbers", request(TEXTS.longest, {
    rights: MAX_32, expiresAt: MAX_48, requests: MAX_32, deadline: MAX_DEADLINE })],
  ["AccessGrant", "plain", grant()],
  ["AccessGrant", "from zero, no terms", grant({ startsAt: 0, termsHash: ZERO })],
  ["AccessGrant", "highest numbers", grant({
    rights: MAX_32, startsAt: MAX_48 - 1, expiresAt: MAX_48, termsHash: ONES, epoch: MAX_32, deadline: MAX_DEADLINE })],
  ["AccessRevocation", "plain", revocation()],
  ["AccessRevocation", "highest numbers", revocation({ epoch: MAX_32, deadline: MAX_DEADLINE })],
];

/** A mainnet, a development chain, and a large id; an address with and one without leading zeros. */
const PLACES = [
  { chainId: 1, verifyingContract: "0x5FbDB2315678afecb367f032d93F642f64180aa3" },
  { chainId: 31337, verifyingContract: "0x0000000000000000000000000000000000001234" },
  { chainId: 0x74647201, verifyingContract: account("contract").address },
];

async function vector([primaryType, shape, message], place, signer) {
  const domain = { name: CONTRACT_OF(primaryType), version: "1", ...place };
  const typed = { domain, types: TYPES[primaryType], primaryType, message };
  return {
    name: `${primaryType}: ${shape}, chain ${place.chainId}`,
    ...typed,
    digest: hashTypedData(typed),
    signature: await signer.signTypedData(typed),
    signer: signer.address,
  };
}

const vectors = [];
for (const [index, shape] of SHAPES.entries()) {
  for (const place of index % 4 === 0 ? PLACES : [PLACES[index % PLACES.length]]) {
    vectors.push(await vector(shape, place, index % 2 ? BOB : ALICE));
  }
}
writeFileSync(
  new URL("../tests/vectors/eip712/vectors.json", import.meta.url),
  JSON.stringify(vectors, null, 1) + "\n",
);
console.log(`${vectors.length} vectors written`);
