import { startServing } from './serving-process.ts';
import type { Sink } from './sink.ts';

/** A connection between two places. */
export interface Link {
  readonly name: string;
  readonly bytesPerSecond: number;
  /** There and back. */
  readonly roundTripMs: number;
}

/** Runs `body` with a base URL that leads to the sink over a link. */
export async function withLink<T>(link: Link, sink: Sink, body: (baseUrl: string) => Promise<T>): Promise<T> {
  const args = [sink.port, link.bytesPerSecond, link.roundTripMs].map(String);
  const { port, close } = await startServing('relay.js', args);
  try {
    return await body(`${sink.scheme}://127.0.0.1:${port}/v1`);
  } finally {
    await close();
  }
}
