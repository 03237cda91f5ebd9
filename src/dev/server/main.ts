/** The server process: `server.js STATE_DIR TEMPORAL_CLI VERSION`. */
import { EmbeddedServer } from './server.ts';

const [stateDir = '', path = '', version = ''] = process.argv.slice(2);

// Only this user can access the files and the socket. SQLite uses the umask.
process.umask(0o077);
try {
  await new EmbeddedServer(stateDir, { path, version }).run();
} catch (error) {
  process.stderr.write(`${String(error)}\n`);
  // The number of a system error reaches the command although the disk of the log can be full.
  process.exit(Math.abs((error as NodeJS.ErrnoException).errno ?? 1));
}
