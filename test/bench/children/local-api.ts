/**
 * The local API in a process of its own. Prints its port, and ends with its stdin.
 *
 *   node local-api.js DATA_DIRECTORY
 */
import { startLocalApi } from '../../../src/local-api/index.ts';

const [dataDir = ''] = process.argv.slice(2);
const api = await startLocalApi({ dataDir, port: 0 });
console.log(String(api.port));
process.stdin.resume().on('end', () => process.exit(0));
