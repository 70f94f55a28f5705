/** The files that a reader drops or chooses, each with its path in the dataset. */

/**
 * @typedef {object} Chosen
 * @property {{path: string, file: File}[]} files
 * @property {boolean} isFolder Whether they are all files of one folder.
 */

/** What was dropped. @param {DataTransfer} transfer @returns {Promise<Chosen>} */
export async function dropped(transfer) {
  // The entries have to be taken before the first wait: the list is emptied when the event is over.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  if (!entries.length) return chosen(transfer.files); // what other programs drop may be in no file system
  const isFolder = entries.length === 1 && entries[0].isDirectory;
  const roots = isFolder ? await childrenOf(entries[0]) : entries;
  const files = [];
  for (const entry of roots) await collect(entry, entry.name, files);
  return { files, isFolder };
}

/** What was chosen in a file input; a folder's own name is no part of its files' paths. @param {FileList} list */
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

/** A folder's reader gives some of its entries at a time, and none when all were given. */
async function childrenOf(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return all;
    all.push(...some);
  }
}
