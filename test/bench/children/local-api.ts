/**
 * The local API in a separate process. Prints its port, and exits when its stdin closes.
 *
 *   node local-api.js DATA_DIRECTORY
 */
import { startLocalApi } from '../../../src/local-api/index.ts';

const [dataDir = ''] = process.argv.slice(2);
const api = await startLocalApi({ dataDir, port: 0 });
console.log(String(api.port));
process.stdin.resume().on('end', () => process.exit(0));
