/** A local API in a separate process, for tests that kill it: `server-process.ts DATA_DIR` prints its URL. */
import { startLocalApi } from '../../../src/local-api/index.ts';

const api = await startLocalApi({ dataDir: process.argv[2] ?? '' });
process.stdout.write(`${api.url}\n`);
