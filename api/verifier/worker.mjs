/** Verify and hash outside the page's thread, so that the page stays responsive. No file leaves this computer. */

import { bundleIn, chunks } from "./attachment.mjs";
import { compareContent } from "./content.mjs";
import { Refused } from "./errors.mjs";
import { normalPath } from "./manifest.mjs";
import { Sha256 } from "./sha256.mjs";
import { claimOf, StepFailed, verify } from "./verify.mjs";

const PROGRESS_MS = 100;

const TASKS = {
  /** Read a bundle, or the one in a certificate; return the blocks to be vouched for. */
  async open({ source }) {
    const bundle = await bundleIn(source);
    return { bundle, claim: claimOf(bundle) };
  },

  verify: ({ bundle, policy, releases, known }) => verify(bundle, policy, releases, known),

  /** Hash files in pieces, and compare them with the verified content. */
  async compare({ verified, files, isFolder }, tell) {
    const total = files.reduce((sum, { file }) => sum + file.size, 0);
    const entries = [];
    let [done, due] = [0, 0];
    for (const { path, file } of files) {
      const name = normalPath(path);
      const hash = new Sha256();
      for await (const piece of chunks(file.stream())) {
        hash.update(piece);
        done += piece.length;
        if (performance.now() >= due) {
          due = performance.now() + PROGRESS_MS;
          tell({ done, total, path });
        }
      }
      const digest = Array.from(hash.digest(), (byte) => byte.toString(16).padStart(2, "0")).join("");
      entries.push({ path: name, sha256: digest, size: file.size });
    }
    return compareContent(verified, entries, isFolder);
  },
};

addEventListener("message", async ({ data: { id, task, ...given } }) => {
  try {
    const result = await TASKS[task](given, (progress) => postMessage({ id, progress }));
    postMessage({ id, result });
  } catch (error) {
    const isOurs = error instanceof Refused || error instanceof StepFailed;
    const message = isOurs || error instanceof DOMException ? error.message : `${error.name}: ${error.message}`;
    const { hint = "", number = null, reason = null } = error;
    postMessage({ id, failure: { message, hint, number, reason } });
  }
});
