// Verifies credentials with Digital Bazaar's libraries, offline: one JSON text a line in, one a line out.
//
// In: {"credential": {...}, "contexts": {URL: document}, "now": Unix milliseconds}. Out: {"verified": true} or {"refused": message}.
import { createInterface } from 'node:readline';
import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import { createVerifyCryptosuite } from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import jsonld from 'jsonld';

const MULTIKEY = 'https://w3id.org/security/multikey/v1';
const DID = 'https://www.w3.org/ns/did/v1';

/** The DID document of a did:key, or its one verification method where the URL has a fragment. */
function didKey(url) {
  const [did, fragment] = url.split('#');
  const publicKeyMultibase = did.slice('did:key:'.length);
  const method = { id: `${did}#${publicKeyMultibase}`, type: 'Multikey', controller: did, publicKeyMultibase };
  if (fragment === undefined) {
    return { '@context': [DID, MULTIKEY], id: did, verificationMethod: [method], assertionMethod: [method.id] };
  }
  if (fragment !== publicKeyMultibase) throw new Error(`${url} is not a key of its DID.`);
  return { '@context': MULTIKEY, ...method };
}

function loaderOf(contexts) {
  return async (documentUrl) => {
    if (documentUrl.startsWith('did:key:')) return { contextUrl: null, documentUrl, document: didKey(documentUrl) };
    if (Object.hasOwn(contexts, documentUrl)) return { contextUrl: null, documentUrl, document: contexts[documentUrl] };
    return vc.defaultDocumentLoader(documentUrl);
  };
}

async function answer({ credential, contexts, now }) {
  const documentLoader = loaderOf(contexts);
  const suite = new DataIntegrityProof({ cryptosuite: createVerifyCryptosuite() });
  const result = await vc.verifyCredential({ credential, suite, documentLoader, now: new Date(now) });
  if (!result.verified) return { refused: result.error?.errors?.map(String).join('; ') ?? String(result.error) };
  // In safe mode every term must have a meaning.
  await jsonld.expand(credential, { documentLoader, safe: true });
  return { verified: true };
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    console.log(JSON.stringify(await answer(JSON.parse(line))));
  } catch (error) {
    console.log(JSON.stringify({ refused: String(error) }));
  }
}
