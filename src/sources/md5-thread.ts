import { parentPort, workerData } from 'node:worker_threads';
import { SourceChangedError } from '../errors.ts';
import { assertUnchanged } from './assert-unchanged.ts';
import { STOP, toFailedMessage, type Md5Message, type Md5Task } from './md5-messages.ts';
import { createMd5State } from './md5-state.ts';
import { openSource } from './open-source.ts';

const CHUNK_BYTES = 1024 * 1024;

const port = parentPort;
let isStopping = false;

async function run(task: Md5Task, post: (message: Md5Message) => void): Promise<Md5Message> {
  const reader = await openSource(task.source);
  try {
    await assertUnchanged(reader, task.fingerprint);
    const md5 = await createMd5State(task.resumeFrom, task.sizeBytes);
    const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    let postedAtMs = Date.now();
    while (md5.offsetBytes < task.sizeBytes) {
      const wanted = Math.min(CHUNK_BYTES, task.sizeBytes - md5.offsetBytes);
      const bytesRead = await reader.read(buffer.subarray(0, wanted), md5.offsetBytes);
      if (bytesRead === 0)
        throw new SourceChangedError('the source ended before its size; it was cut while it was read');
      md5.update(buffer.subarray(0, bytesRead));
      if (isStopping) return { type: 'stopped', checkpoint: md5.checkpoint() };
      if (Date.now() - postedAtMs >= task.checkpointEveryMs) {
        post({ type: 'checkpoint', checkpoint: md5.checkpoint() });
        postedAtMs = Date.now();
      }
    }
    await assertUnchanged(reader, task.fingerprint);
    return { type: 'done', md5: md5.digest() };
  } finally {
    await reader.close();
  }
}

if (port) {
  port.on('message', (message) => {
    if (message === STOP) isStopping = true;
  });
  const post = (message: Md5Message) => port.postMessage(message);
  post(await run(workerData as Md5Task, post).catch(toFailedMessage));
  port.close();
}
