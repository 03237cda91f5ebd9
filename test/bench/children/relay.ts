/**
 * A link of limited bandwidth and a given delay, as a relay of TCP connections: what a sender writes is read only as fast
 * as the link carries it, and arrives half a round trip later; the way back is delayed too, but not limited. Prints its
 * port, and ends with its stdin.
 *
 *   node relay.js TARGET_PORT BYTES_PER_SECOND ROUND_TRIP_MS
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What one connection may have on the way, as Linux allows it by default (`tcp_wmem`). */
const WINDOW_BYTES = 4 * 1024 * 1024;
/** What waits before the bottleneck; a sender stops beyond. */
const QUEUE_MS = 20;

const [targetPort = 0, bytesPerSecond = Infinity, roundTripMs = 0] = process.argv.slice(2).map(Number);
const oneWayMs = roundTripMs / 2;

/** When the link has carried all that it was given. All connections share it. */
let freeAtMs = 0;

/** @returns the moment at which these bytes are at the other end */
function carry(bytes: number): number {
  freeAtMs = Math.max(freeAtMs, performance.now()) + (bytes / bytesPerSecond) * 1000;
  return freeAtMs + oneWayMs;
}

/** Runs things at their moments, which must come in order, as bytes do. */
class DelayLine {
  readonly #due: { readonly atMs: number; readonly run: () => void }[] = [];
  #isTicking = false;

  at(atMs: number, run: () => void): void {
    this.#due.push({ atMs, run });
    this.#tick();
  }

  #tick(): void {
    const [first] = this.#due;
    if (this.#isTicking || !first) return;
    this.#isTicking = true;
    setTimeout(
      () => {
        this.#isTicking = false;
        const now = performance.now();
        const open = this.#due.findIndex(({ atMs }) => atMs > now);
        for (const { run } of this.#due.splice(0, open < 0 ? this.#due.length : open)) run();
        this.#tick();
      },
      Math.max(first.atMs - performance.now(), 0),
    );
  }
}

function forwardUp(from: Socket, to: Socket): void {
  const arrivals = new DelayLine();
  const acknowledgements = new DelayLine();
  let onTheWayBytes = 0;
  const isFull = () => onTheWayBytes + to.writableLength >= WINDOW_BYTES;
  const queueMs = () => freeAtMs - performance.now();
  const goOn = () => {
    if (!from.isPaused() || isFull()) return;
    if (queueMs() <= QUEUE_MS) from.resume();
    else setTimeout(goOn, queueMs() - QUEUE_MS);
  };
  to.on('drain', goOn);
  from.on('data', (chunk: Buffer) => {
    const arrivesAtMs = carry(chunk.byteLength);
    onTheWayBytes += chunk.byteLength;
    arrivals.at(arrivesAtMs, () => to.write(chunk));
    acknowledgements.at(arrivesAtMs + oneWayMs, () => {
      onTheWayBytes -= chunk.byteLength;
      goOn();
    });
    if (!isFull() && queueMs() <= QUEUE_MS) return;
    from.pause();
    goOn();
  });
  from.on('end', () => arrivals.at(Math.max(freeAtMs, performance.now()) + oneWayMs, () => to.end()));
}

function forwardDown(from: Socket, to: Socket): void {
  const arrivals = new DelayLine();
  from.on('data', (chunk: Buffer) => arrivals.at(performance.now() + oneWayMs, () => to.write(chunk)));
  from.on('end', () => arrivals.at(performance.now() + oneWayMs, () => to.end()));
}

const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (near) => {
  const far = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  for (const [socket, other] of [
    [near, far],
    [far, near],
  ] as const) {
    socket.on('error', () => other.destroy());
    socket.on('close', () => other.destroy());
  }
  forwardDown(far, near);
  // A connection takes a round trip to be made.
  setTimeout(() => {
    forwardUp(near, far);
    near.resume();
  }, roundTripMs);
});
server.listen(0, '127.0.0.1', () => console.log(String((server.address() as AddressInfo).port)));
process.stdin.resume().on('end', () => process.exit(0));
