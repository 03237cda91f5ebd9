import type { HashCheckpoint } from '../../contracts/activities.ts';
import { md5Blocks, MD5_BLOCK_BYTES, MD5_INITIAL_STATE } from './md5.ts';

/** What a saved state begins with, so that no other one is taken for it. */
const SAVED_TAG = Buffer.from('md5\x01', 'latin1');
const STATE_BYTES = 16;
const LENGTH_BYTES = 8;

/** An md5 that can stop and go on elsewhere. */
export class Md5State {
  readonly #state = Int32Array.from(MD5_INITIAL_STATE);
  /** The begin of a block that is not whole yet. */
  readonly #block = Buffer.alloc(MD5_BLOCK_BYTES);
  #offsetBytes = 0;

  /**
   * A new md5, or one that goes on from a checkpoint. A checkpoint that another version saved or that lies past the end
   * is ignored: beginning again costs time, but is never wrong.
   */
  constructor(resumeFrom: HashCheckpoint | undefined, sizeBytes: number) {
    if (resumeFrom && isOffset(resumeFrom.offsetBytes, sizeBytes)) this.#load(resumeFrom);
  }

  get offsetBytes(): number {
    return this.#offsetBytes;
  }

  update(chunk: Uint8Array): void {
    let at = 0;
    const held = this.#offsetBytes % MD5_BLOCK_BYTES;
    this.#offsetBytes += chunk.byteLength;
    if (held > 0) {
      at = Math.min(MD5_BLOCK_BYTES - held, chunk.byteLength);
      this.#block.set(chunk.subarray(0, at), held);
      if (held + at < MD5_BLOCK_BYTES) return;
      this.#take(this.#block);
    }
    const whole = chunk.byteLength - ((chunk.byteLength - at) % MD5_BLOCK_BYTES);
    this.#take(chunk.subarray(at, whole));
    this.#block.set(chunk.subarray(whole));
  }

  checkpoint(): HashCheckpoint {
    const held = this.#block.subarray(0, this.#offsetBytes % MD5_BLOCK_BYTES);
    const saved = Buffer.concat([SAVED_TAG, bytesOf(this.#state), held]);
    return { offsetBytes: this.#offsetBytes, state: saved.toString('base64') };
  }

  /** Lower-case hex. Ends the state. */
  digest(): string {
    const sizeBytes = this.#offsetBytes;
    const rest = sizeBytes % MD5_BLOCK_BYTES;
    const blocks = rest < MD5_BLOCK_BYTES - LENGTH_BYTES ? 1 : 2;
    const padding = Buffer.alloc(blocks * MD5_BLOCK_BYTES - rest);
    padding[0] = 0x80;
    padding.writeBigUInt64LE(BigInt(sizeBytes) * 8n, padding.byteLength - LENGTH_BYTES);
    this.update(padding);
    return bytesOf(this.#state).toString('hex');
  }

  /** @param blocks whole ones */
  #take(blocks: Uint8Array): void {
    const isAligned = blocks.byteOffset % Int32Array.BYTES_PER_ELEMENT === 0;
    const { buffer, byteOffset, byteLength } = isAligned ? blocks : Uint8Array.from(blocks);
    md5Blocks(this.#state, new Int32Array(buffer, byteOffset, byteLength / Int32Array.BYTES_PER_ELEMENT));
  }

  #load({ offsetBytes, state }: HashCheckpoint): void {
    const saved = Buffer.from(state, 'base64');
    const heldAt = SAVED_TAG.byteLength + STATE_BYTES;
    const isOurs = SAVED_TAG.equals(saved.subarray(0, SAVED_TAG.byteLength));
    if (!isOurs || saved.byteLength !== heldAt + (offsetBytes % MD5_BLOCK_BYTES)) return;
    bytesOf(this.#state).set(saved.subarray(SAVED_TAG.byteLength, heldAt));
    this.#block.set(saved.subarray(heldAt));
    this.#offsetBytes = offsetBytes;
  }
}

function bytesOf(state: Int32Array): Buffer {
  return Buffer.from(state.buffer, state.byteOffset, state.byteLength);
}

function isOffset(offsetBytes: number, sizeBytes: number): boolean {
  return Number.isSafeInteger(offsetBytes) && offsetBytes >= 0 && offsetBytes <= sizeBytes;
}
