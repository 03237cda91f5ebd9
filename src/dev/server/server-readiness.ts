import { connect as connectSocket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { NamespaceNeeds } from './namespace.ts';

export interface ReadinessOptions extends NamespaceNeeds {
  readonly address: string;
  readonly timeoutMs: number;
  /** Asked before each try; there is no use in waiting for a dead process. */
  readonly isAlive: () => boolean;
}

async function acceptsConnections(address: string): Promise<boolean> {
  const [host, port] = address.split(':');
  return new Promise((resolve) => {
    const socket = connectSocket({ host: host ?? '', port: Number(port), timeout: 1_000 });
    const settle = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => settle(true));
    socket.once('timeout', () => settle(false));
    socket.once('error', () => settle(false));
  });
}

/**
 * Waits until the server answers over gRPC and its namespace keeps closed workflows for long enough and knows the search
 * attributes. Returns null then, or else the reason why it doesn't; never throws.
 */
export async function waitUntilReady(options: ReadinessOptions): Promise<string | null> {
  const deadline = Date.now() + options.timeoutMs;
  // Temporal's client takes 0.3 s to load, in which the server that was just started comes up.
  const { DatabaseSchemaError, prepareNamespace } = await import('./namespace.ts');
  let reason = 'it did not open its port';
  while (Date.now() < deadline) {
    if (!options.isAlive()) return 'it ended';
    // A gRPC client that is refused waits a second before its next try; a plain socket need not.
    if (await acceptsConnections(options.address)) {
      try {
        await prepareNamespace(options.address, options, deadline);
        return null;
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
        if (error instanceof DatabaseSchemaError) return reason;
      }
    }
    await delay(25);
  }
  return `${reason} (waited ${options.timeoutMs / 1000} s)`;
}
