/** Collect the files that a reader drops or chooses, each with its path in the dataset. */

/**
 * @typedef {object} Chosen
 * @property {{path: string, file: File}[]} files
 * @property {boolean} isFolder Whether they are all files of one folder.
 */

/** Return the dropped files. @param {DataTransfer} transfer @returns {Promise<Chosen>} */
export async function dropped(transfer) {
  // The entries must be taken before the first wait: the list is emptied when the event ends.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  if (!entries.length) return chosen(transfer.files); // what other programs drop may be in no file system
  const isFolder = entries.length === 1 && entries[0].isDirectory;
  const roots = isFolder ? await childrenOf(entries[0]) : entries;
  const files = [];
  for (const entry of roots) await collect(entry, entry.name, files);
  return { files, isFolder };
}

/** Return the files chosen in a file input, with paths relative to the folder. @param {FileList} list */
export function chosen(list) {
  const isFolder = [...list].some((file) => file.webkitRelativePath);
  const files = [...list].map((file) => ({
    path: isFolder ? file.webkitRelativePath.split("/").slice(1).join("/") : file.name,
    file,
  }));
  return { files, isFolder };
}

async function collect(entry, path, files) {
  if (entry.isFile) {
    files.push({ path, file: await new Promise((resolve, reject) => entry.file(resolve, reject)) });
  } else {
    for (const child of await childrenOf(entry)) await collect(child, `${path}/${child.name}`, files);
  }
}

/** Read all entries of a folder: its reader returns them in batches, the last one empty. */
async function childrenOf(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return all;
    all.push(...some);
  }
}
