import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A request as it was seen on the wire, whatever either side makes of it. */
export interface SeenRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly startedAtMs: number;
  /** Bytes that came from the client for it, head included. */
  bytes: number;
  /** Status of the answer, once its beginning was handed to the client. */
  status: number | undefined;
  /** When its answer was handed over, or its connection ended. */
  endedAtMs: number | undefined;
}

/** Whether a disturbance meets every connection, also those made while it lasts, or one that is at work. */
export type Scope = 'all' | 'one';

export interface ChaosProxy {
  readonly port: number;
  /** Oldest first. */
  readonly requests: readonly SeenRequest[];
  /** Each returns whether it met a connection, when it is over. */
  reset(scope: Scope): boolean;
  /** Pauses all traffic for this time. */
  stall(scope: Scope, forMs: number): Promise<boolean>;
  /** Discards all bytes for this time, and then resets the connections. */
  blackHole(scope: Scope, forMs: number): Promise<boolean>;
  throttle(scope: Scope, bytesPerSecond: number, forMs: number): Promise<boolean>;
  /** Resets all existing and new connections for this time. */
  refuse(forMs: number): Promise<boolean>;
  close(): Promise<void>;
}

export interface ChaosProxyOptions {
  /**
   * Rate at which each connection takes the client's bytes. A line without a limit lets the kernel swallow whole parts,
   * and a client never meets a socket that is full. @defaultValue no limit
   */
  readonly lineBytesPerSecond?: number;
}

type Weather = 'clear' | 'stall' | 'black-hole' | 'throttle' | 'refuse';

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  weather: Weather;
  bytesPerSecond: number;
  request: SeenRequest | undefined;
}

/** A TCP proxy between a client and a server on this machine, which disturbs connections and keeps book of requests. */
export async function startChaosProxy(targetPort: number, options: ChaosProxyOptions = {}): Promise<ChaosProxy> {
  const { lineBytesPerSecond = Infinity } = options;
  const links = new Set<Link>();
  const requests: SeenRequest[] = [];
  let weather: Weather = 'clear';
  let bytesPerSecond = lineBytesPerSecond;

  const listener = createServer({ noDelay: true }, (client) => {
    if (weather === 'refuse') {
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
    const link: Link = { client, server, weather, bytesPerSecond, request: undefined };
    links.add(link);
    join(link, requests, () => links.delete(link));
    applyWeather(link);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');

  const chosen = (scope: Scope): Link[] => {
    if (scope === 'all') return [...links];
    const busy = [...links].find(({ request }) => request?.path.endsWith('/parts'));
    const one = busy ?? [...links].at(-1);
    return one ? [one] : [];
  };
  const during = async (scope: Scope, kind: Weather, forMs: number, rate = lineBytesPerSecond): Promise<boolean> => {
    const met = chosen(scope);
    const change = (to: Weather, targets: Iterable<Link>, toRate: number) => {
      for (const link of targets) {
        link.weather = to;
        link.bytesPerSecond = toRate;
        applyWeather(link);
      }
    };
    if (scope === 'all') [weather, bytesPerSecond] = [kind, rate];
    change(kind, met, rate);
    await delay(forMs);
    if (scope === 'all') [weather, bytesPerSecond] = ['clear', lineBytesPerSecond];
    const touched = scope === 'all' ? [...links].filter((link) => link.weather === kind) : met;
    if (kind === 'black-hole') for (const link of touched) breakLink(link);
    else change('clear', touched, lineBytesPerSecond);
    return met.length + touched.length > 0;
  };

  return {
    port: (listener.address() as AddressInfo).port,
    requests,
    reset: (scope) => {
      const met = chosen(scope);
      for (const link of met) breakLink(link);
      return met.length > 0;
    },
    stall: (scope, forMs) => during(scope, 'stall', forMs),
    blackHole: (scope, forMs) => during(scope, 'black-hole', forMs),
    throttle: (scope, rate, forMs) => during(scope, 'throttle', forMs, rate),
    refuse: async (forMs) => {
      const met = [...links];
      for (const link of met) breakLink(link);
      weather = 'refuse';
      await delay(forMs);
      weather = 'clear';
      return true;
    },
    close: async () => {
      for (const link of links) breakLink(link);
      listener.close();
      await once(listener, 'close');
    },
  };
}

function breakLink({ client, server }: Link): void {
  client.resetAndDestroy();
  server.resetAndDestroy();
}

function applyWeather({ client, server, weather }: Link): void {
  for (const socket of [client, server]) {
    if (weather === 'stall') socket.pause();
    else socket.resume();
  }
}

function join(link: Link, requests: SeenRequest[], onEnd: () => void): void {
  const { client, server } = link;
  client.on('data', (chunk: Buffer) => {
    observeRequest(link, chunk, requests);
    forward(link, client, server, chunk);
  });
  server.on('data', (chunk: Buffer) => {
    if (link.weather !== 'black-hole') observeAnswer(link, chunk);
    forward(link, server, client, chunk);
  });
  const end = () => {
    if (link.request) link.request.endedAtMs ??= Date.now();
    link.request = undefined;
    onEnd();
  };
  // A black hole swallows the end of a connection as well.
  server.on('end', () => link.weather !== 'black-hole' && client.end());
  server.on('error', () => link.weather !== 'black-hole' && client.resetAndDestroy());
  server.on('close', () => link.weather !== 'black-hole' && client.destroySoon());
  client.on('error', () => {});
  client.on('close', () => {
    server.destroy();
    end();
  });
}

function forward(link: Link, from: Socket, to: Socket, chunk: Buffer): void {
  if (link.weather === 'black-hole' || to.destroyed) return;
  const hasRoom = to.write(chunk);
  const pauseMs = from === link.client ? (chunk.byteLength / link.bytesPerSecond) * 1000 : 0;
  if (pauseMs >= 1) {
    from.pause();
    setTimeout(() => link.weather !== 'stall' && from.resume(), pauseMs);
  } else if (!hasRoom) {
    from.pause();
    to.once('drain', () => link.weather !== 'stall' && from.resume());
  }
}

/** Requests follow each other only after the answer, so a head is always at the beginning of a chunk. */
function observeRequest(link: Link, chunk: Buffer, requests: SeenRequest[]): void {
  const head = /^(GET|POST|DELETE|PUT|PATCH) (\/[^\s?]*)\S* HTTP\/1\.1\r\n/.exec(chunk.toString('latin1', 0, 512));
  if (head) {
    const [, method = '', path = ''] = head;
    link.request = { method, path, startedAtMs: Date.now(), bytes: 0, status: undefined, endedAtMs: undefined };
    requests.push(link.request);
  }
  if (link.request) link.request.bytes += chunk.byteLength;
}

function observeAnswer(link: Link, chunk: Buffer): void {
  const status = /^HTTP\/1\.1 (\d{3})/.exec(chunk.toString('latin1', 0, 16))?.[1];
  if (status === undefined || !link.request || Number(status) < 200) return;
  link.request.status = Number(status);
  link.request.endedAtMs = Date.now();
}
