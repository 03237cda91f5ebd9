import { createRequire } from 'node:module';
import type * as HashWasm from 'hash-wasm';
import type { HashCheckpoint } from '../contracts/activities.ts';

/** The whole of hash-wasm holds the code of thirty digests, which takes 6 MiB more in the thread that loads it. */
const { createMD5 } = createRequire(import.meta.url)('hash-wasm/dist/md5.umd.min.js') as Pick<
  typeof HashWasm,
  'createMD5'
>;

/** An md5 that can stop and go on elsewhere. */
export interface Md5State {
  readonly offsetBytes: number;
  update(chunk: Uint8Array): void;
  checkpoint(): HashCheckpoint;
  /** Lower-case hex. Ends the state. */
  digest(): string;
}

/**
 * A new md5, or one that goes on from a checkpoint. A checkpoint that this build can't load (another version of
 * hash-wasm saved it) or that lies past the end is ignored: beginning again costs time, but is never wrong.
 */
export async function createMd5State(resumeFrom: HashCheckpoint | undefined, sizeBytes: number): Promise<Md5State> {
  const hasher = await createMD5();
  let offsetBytes = 0;
  hasher.init();
  if (resumeFrom && isOffset(resumeFrom.offsetBytes, sizeBytes)) {
    try {
      hasher.load(Buffer.from(resumeFrom.state, 'base64'));
      offsetBytes = resumeFrom.offsetBytes;
    } catch {
      hasher.init();
    }
  }
  return {
    get offsetBytes() {
      return offsetBytes;
    },
    update(chunk) {
      hasher.update(chunk);
      offsetBytes += chunk.byteLength;
    },
    checkpoint: () => ({ offsetBytes, state: Buffer.from(hasher.save()).toString('base64') }),
    digest: () => hasher.digest(),
  };
}

function isOffset(offsetBytes: number, sizeBytes: number): boolean {
  return Number.isSafeInteger(offsetBytes) && offsetBytes >= 0 && offsetBytes <= sizeBytes;
}
