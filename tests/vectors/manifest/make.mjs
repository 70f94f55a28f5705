// Makes valid.json and invalid.json beside this file: manifests in the format tdr-manifest/1, built here with
// JavaScript's own JSON, string and hash functions, which share no code with the project.
// Run it with Node 20 or newer: node tests/vectors/manifest/make.mjs
//
// Every invalid manifest has exactly one fault: its root is that of the leaves as they stand.

import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";

const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts.map((part) => Buffer.from(part)))).digest();

// RFC 9162, section 2.1.1, word for word: split at the largest power of two below the number of leaves.
function treeHash(leaves) {
  if (leaves.length === 1) return sha256([0], leaves[0]);
  const k = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return sha256([1], treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)));
}

// RFC 8785 for flat objects of strings, integers and null: keys in order, no spaces; JSON.stringify does the strings.
const canonical = (entry) => JSON.stringify(Object.fromEntries(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1))));

const rootOf = (leaves) => "0x" + treeHash(leaves.map((leaf) => Buffer.from(leaf))).toString("hex");
const textOf = (leaves, root = rootOf(leaves)) =>
  `{"format":"tdr-manifest/1","root":"${root}","files":[\n${leaves.join(",\n")}\n]}\n`;

const file = (path, content = path, extra = {}) => ({
  path,
  sha256: sha256(content).toString("hex"),
  size: Buffer.byteLength(content),
  ...extra,
});
const inOrder = (files) => [...files].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
const salt = (n) => ({ salt: sha256(`salt ${n}`).toString("hex").slice(0, 32) });

const valid = Object.entries({
  "one file": [file("data.csv", "a,b\n1,2\n")],
  "one empty file": [file("empty", "")],
  "folders, and an order that differs from that of whole names": ["a/b", "a.txt", "a-b/c", "a0", "b"].map((path) => file(path)),
  "Chinese, accents and emoji": ["数据/训练集.csv", "café.txt", "😀.png", "Ω", "z", "数据/验证集.csv"].map((path) => file(path)),
  // UTF-16 puts the emoji before U+FB33's neighbours and UTF-8 after them.
  "an order that differs between UTF-8 and UTF-16": ["\u{1F600}", "\uFFFD", "\uE000", "\uD7A3"].map((path) => file(path)),
  "characters that JSON escapes": ['a"b', "tab\there", "line\nbreak", "bell\u0007", "\u001f", "\u007f", "\u2028"].map((path) => file(path)),
  "spaces and dots in names": [" leading", "trailing ", "...", "a..b", ".hidden", ".git/config", "x/.y/..z"].map((path) => file(path)),
  "the largest size": [file("huge", "", { size: Number.MAX_SAFE_INTEGER })],
  "hashes only": ["b", "a"].map((path) => file(path, path, { size: null })),
  "private": ["b", "a", "c"].map((path, n) => file(path, path, salt(n))),
  "private, hashes only": ["b", "a"].map((path, n) => file(path, path, { size: null, ...salt(n) })),
  "33 files": Array.from({ length: 33 }, (_, n) => file(`part-${n}.bin`)),
}).map(([name, files]) => {
  const leaves = inOrder(files).map(canonical);
  return { name, leaves, root: rootOf(leaves), text: textOf(leaves) };
});

// name -> [what the error has to name, the leaves]
const badPath = (path) => [JSON.stringify(path).slice(1, -1), [canonical(file(path, ""))]];
const pair = (a, b) => inOrder([file(a), file(b)]).map(canonical);
const leaf = canonical(file("a.csv"));
const changed = (from, to) => ["a.csv", [leaf.replace(from, to)]];
const badLeaves = {
  "absolute path": badPath("/etc/passwd"),
  "absolute path of Windows": badPath("C:/data"),
  "parent folder first": badPath("../a"),
  "parent folder inside": badPath("a/../b"),
  "parent folder last": badPath("a/.."),
  "parent folder alone": badPath(".."),
  "current folder first": badPath("./a"),
  "current folder inside": badPath("a/./b"),
  "current folder alone": badPath("."),
  "empty name inside": badPath("a//b"),
  "slash at the end": badPath("a/"),
  "empty path": badPath(""),
  "NUL": ["a\\x00b", [canonical(file("a\0b", ""))]],
  "backslash": ["a\\\\b", [canonical(file("a\\b", ""))]],
  "decomposed accents": ["cafe\u0301", [canonical(file("cafe\u0301", ""))]],
  "lone surrogate": ["Entry 1", ['{"path":"\\ud800","sha256":"' + "0".repeat(64) + '","size":0}']],
  "not in order": ["a", ["b", "a"].map((path) => canonical(file(path)))],
  "in the order of UTF-16": ["\uFFFD", ["\u{1F600}", "\uFFFD"].map((path) => canonical(file(path)))],
  "a path twice": ["a.csv", [leaf, leaf]],
  "names that differ in case": ["readme", pair("README", "readme")],
  "names that differ in folded case": ["STRASSE", pair("STRASSE", "straße")],
  "folders that differ in case": ["Data/", pair("Data/a", "data/b")],
  "a file and a folder of one name": ["a/", pair("a", "a/b")],
  "a file and a folder that differ in case": ["A/", pair("A/b", "a")],
  "some sizes only": ["b", [canonical(file("a")), canonical(file("b", "b", { size: null }))]],
  "some salts only": ["b", [canonical(file("a", "a", salt(1))), canonical(file("b"))]],
  "negative size": changed('"size":5', '"size":-1'),
  "size beyond 2**53 - 1": changed('"size":5', '"size":9007199254740992'),
  "size of 5,000 digits": ["JSON", [leaf.replace('"size":5', '"size":' + "9".repeat(5000))]],
  "size with a fraction": changed('"size":5', '"size":5.0'),
  "size with an exponent": changed('"size":5', '"size":5e0'),
  "size as a string": changed('"size":5', '"size":"5"'),
  "size as a boolean": changed('"size":5', '"size":true'),
  "size left out": changed(',"size":5', ""),
  "hash in capitals": changed(/"sha256":"[^"]+"/, `"sha256":"${"AB".repeat(32)}"`),
  "hash with 0x": changed('"sha256":"', '"sha256":"0x'),
  "hash too short": changed(/"sha256":"../, '"sha256":"'),
  "hash too long": changed('"sha256":"', '"sha256":"00'),
  "hash of other letters": changed(/"sha256":"../, '"sha256":"zz'),
  "hash with full-width digits": changed(/"sha256":"../, '"sha256":"\uFF10\uFF11'),
  "hash with a line end": changed('","size"', '\\n","size"'),
  "hash as a number": changed(/"sha256":"[^"]+"/, '"sha256":5'),
  "hash left out": changed(/"sha256":"[^"]+",/, ""),
  "salt of 15 bytes": changed('"sha256"', `"salt":"${"00".repeat(15)}","sha256"`),
  "salt in capitals": changed('"sha256"', `"salt":"${"AB".repeat(16)}","sha256"`),
  "salt null": changed('"sha256"', '"salt":null,"sha256"'),
  "unknown field": changed('"size"', '"mode":420,"size"'),
  "key twice": ["path", [leaf.replace('"size"', '"path":"b.csv","size"')]],
  "path as a number": ["Entry 1", [leaf.replace('"a.csv"', "5")]],
  "path left out": ["Entry 1", [leaf.replace('"path":"a.csv",', "")]],
  "entry that is a string": ["Entry 2", [leaf, '"b.csv"']],
  "entry that is null": ["Entry 1", ["null"]],
};

const good = textOf([leaf]);
const other = textOf([canonical(file("b.csv"))]);
const badTexts = {
  "no files": ["no", good.replace(leaf, "")],
  "root of other files": ["root", good.replace(rootOf([leaf]), rootOf([canonical(file("b.csv"))]))],
  "file that the root does not know": ["root", other.replace("b.csv", "c.csv")],
  "root in capitals": ["root", good.replace(/"root":"0x[^"]+"/, (root) => root.toUpperCase().replace("ROOT", "root").replace("0X", "0x"))],
  "root without 0x": ["root", good.replace('"0x', '"')],
  "root null": ["root", good.replace(/"root":"[^"]+"/, '"root":null')],
  "root left out": ["root", good.replace(/"root":"[^"]+",/, "")],
  "files left out": ["files", good.replace(/,"files":[^]*\]/, "")],
  "files as an object": ["files", good.replace(/"files":[^]*\]/, '"files":{}')],
  "another format": ["tdr-manifest/1", good.replace("manifest/1", "manifest/2")],
  "format left out": ["tdr-manifest/1", good.replace('"format":"tdr-manifest/1",', "")],
  "unknown field beside the files": ["comment", good.replace('"files"', '"comment":"","files"')],
  "root twice": ["root", good.replace('"files"', '"root":"0x00","files"')],
  "a list": ["tdr-manifest/1", `[${good}]`],
  "not a number": ["NaN", good.replace('"files"', '"x":NaN,"files"')],
  "number beyond doubles": ["1e999", good.replace('"files"', '"x":1e999,"files"')],
  "too deep": ["deep", good.replace('"files"', `"x":${"[".repeat(80)}${"]".repeat(80)},"files"`)],
  "far too deep": ["deep", "[".repeat(3000) + "]".repeat(3000)],
  "cut off": ["JSON", good.slice(0, -4)],
  "something after the end": ["JSON", good + "{}"],
  "byte order mark": ["JSON", "\uFEFF" + good],
  "empty text": ["JSON", ""],
};

const invalid = [
  ...Object.entries(badLeaves).map(([name, [names, leaves]]) => ({ name, names, text: textOf(leaves) })),
  ...Object.entries(badTexts).map(([name, [names, text]]) => ({ name, names, text })),
];
for (const { name, text } of invalid) if (text === good) throw new Error(`${name} is not invalid`);

const write = (name, cases) => writeFileSync(new URL(name, import.meta.url), JSON.stringify(cases, null, 1) + "\n");
write("valid.json", valid);
write("invalid.json", invalid);
