#!/usr/bin/env node
// Lets npm's solc stand where a native solc is expected: `--version`, and `--standard-json` from stdin to stdout.
//
// solcjs itself cannot: through a pipe its output ends after 64 KiB, and it may print a prompt before the JSON.
// Imports are looked for below `--base-path` (default: the working directory), then in its node_modules.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const solc = require("solc");

/** Writes everything, however little of it the pipe takes at a time. */
function print(text) {
  const bytes = Buffer.from(text, "utf8");
  for (let written = 0; written < bytes.length; ) {
    try {
      written += fs.writeSync(1, bytes, written);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

/** The import callback: only files below the base path and its node_modules, and only by a relative name. */
function findImportsBelow(basePath) {
  const roots = [basePath, path.join(basePath, "node_modules")].map((root) => path.resolve(root));
  return (name) => {
    for (const root of roots) {
      const file = path.resolve(root, name);
      if (file.startsWith(root + path.sep) && fs.existsSync(file)) {
        return { contents: fs.readFileSync(file, "utf8") };
      }
    }
    return { error: `${name} is neither in ${roots.join(" nor in ")}` };
  };
}

function main(options) {
  if (options.includes("--version")) {
    print(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
    return 0;
  }
  if (options.includes("--standard-json")) {
    const at = options.indexOf("--base-path");
    const basePath = at === -1 ? process.cwd() : options[at + 1];
    print(solc.compile(fs.readFileSync(0, "utf8"), { import: findImportsBelow(basePath) }));
    return 0;
  }
  process.stderr.write("This wrapper answers --version, and --standard-json [--base-path PATH].\n");
  return 2;
}

process.exitCode = main(process.argv.slice(2));
