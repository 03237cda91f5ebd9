import { parentPort, workerData } from 'node:worker_threads';
import { openFileRange } from '../file/source.ts';
import { hashReader } from './pass.ts';
import { STOP, toFailedMessage, type Md5Message, type Md5Task } from './md5-messages.ts';

const CHUNK_BYTES = 512 * 1024;

const port = parentPort;
let isStopping = false;

async function run(task: Md5Task, post: (message: Md5Message) => void): Promise<Md5Message> {
  const reader = await openFileRange(task.source, task.files);
  try {
    const outcome = await hashReader(reader, {
      ...task,
      chunkBytes: CHUNK_BYTES,
      isStopping: () => isStopping,
      onCheckpoint: (checkpoint) => post({ type: 'checkpoint', checkpoint }),
    });
    return 'md5' in outcome ? { type: 'done', result: outcome } : { type: 'stopped', checkpoint: outcome.checkpoint };
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
