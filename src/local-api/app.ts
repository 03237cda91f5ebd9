import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiContext, ApiRequest, Handler, Reply } from './api-context.ts';
import { alteredReply, type FaultSpec } from './faults.ts';
import { handleAdmin, type AdminControl } from './admin.ts';
import { ApiProblem, notFound } from './errors.ts';
import { effectOf } from './fault-effect.ts';
import { bodyChunks, discardBody } from './read-body.ts';
import { requestProblem, matchRoute, type ApiRoute } from './router.ts';
import type { ServiceStyle } from './style.ts';
import { addPart, cancelUpload, completeUpload, createUpload } from './handlers/uploads.ts';
import { createBatch, listBatches, retrieveBatch } from './handlers/batches.ts';
import { deleteFile, fileContent, listFiles, retrieveFile } from './handlers/files.ts';

const handlers: Readonly<Record<ApiRoute, Handler>> = {
  create: createUpload,
  part: addPart,
  complete: completeUpload,
  cancel: cancelUpload,
  list: listFiles,
  retrieve: retrieveFile,
  content: fileContent,
  delete: deleteFile,
  'batch-create': createBatch,
  'batch-list': listBatches,
  'batch-retrieve': retrieveBatch,
};

/** The end of a request: a response, or none because of a fault. */
type Outcome = Reply | 'reset' | 'lost-answer' | 'stall';

/** Passes each request through authorization, faults and its handler, and sends the response. */
export class App {
  readonly #context: ApiContext;
  readonly #admin: AdminControl;
  readonly #log: ((line: string) => void) | undefined;
  readonly #active = new Set<Promise<void>>();

  constructor(context: ApiContext, admin: AdminControl, log: ((line: string) => void) | undefined) {
    this.#context = context;
    this.#admin = admin;
    this.#log = log;
  }

  accept(message: IncomingMessage, response: ServerResponse): void {
    const done = this.#serve(message, response).finally(() => this.#active.delete(done));
    this.#active.add(done);
  }

  /** Waits for running requests. Call it after their connections are closed. */
  async settle(): Promise<void> {
    await Promise.all(this.#active);
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedMs = performance.now();
    const [pathname = '', queryText = ''] = (message.url ?? '/').split('?', 2);
    const method = message.method ?? '';
    let route = 'unknown';
    let ending = 'aborted';
    const { style } = this.#context.rules;
    response.setHeader(style.requestIdHeader, `req_${randomUUID().replaceAll('-', '')}`);
    // The loops of the body and the response report a lost connection. Without listeners, it would end the process.
    message.on('error', () => undefined);
    response.on('error', () => undefined);
    try {
      if (pathname.startsWith('/_admin/')) {
        route = 'admin';
        const rejected = requestProblem(message, this.#context.rules);
        const reply = rejected
          ? toReply(rejected, style)
          : await asReply(handleAdmin(this.#admin, method, pathname, message), style);
        ending = await this.#send(message, response, reply);
        return;
      }
      const query = new URLSearchParams(queryText);
      const match = routeOf(style, method, pathname, query);
      if (!(match instanceof ApiProblem) && match.kind === 'found') route = match.route;
      const outcome = await this.#outcome(message, match, query);
      await sleep(this.#context.settings().latencyMs, undefined, { signal: this.#context.closing });
      ending = typeof outcome === 'string' ? outcome : await this.#send(message, response, outcome);
      if (outcome === 'reset') message.socket.resetAndDestroy();
      if (outcome === 'lost-answer') message.socket.destroy();
    } catch {
      // The connection is lost, or the server is closing, so that no client receives a response.
      message.socket.destroy();
    } finally {
      if (route !== 'admin') this.#context.stats.countRequest(route, ending);
      this.#log?.(`${method} ${pathname} ${ending} ${Math.round(performance.now() - startedMs)} ms`);
    }
  }

  async #outcome(
    message: IncomingMessage,
    match: ReturnType<typeof routeOf>,
    query: URLSearchParams,
  ): Promise<Outcome> {
    const rejected = requestProblem(message, this.#context.rules);
    const { style } = this.#context.rules;
    if (rejected !== undefined) return toReply(rejected, style);
    if (match instanceof ApiProblem) return toReply(match, style);
    if (match.kind === 'unknown') return toReply(notFound(`No such route: ${message.method} ${message.url}.`), style);
    if (match.kind === 'wrong-method') {
      const headers = { allow: match.allow };
      return toReply(new ApiProblem(405, `Use ${match.allow} here.`, { code: 'method_not_allowed', headers }), style);
    }
    const { route, id } = match;
    const { store, stats } = this.#context;
    if (route === 'part' && store.get(id) !== undefined) stats.countPartBegun(id);
    const fault = this.#admin.faults.strike(route, Number(message.headers['content-length'] ?? 0));
    const effect = fault && effectOf(fault.kind, fault.afterWork);
    if (fault && effect?.works === false) return this.#withoutWork(fault, message);
    if (effect?.endsUpload) await this.#endUpload(id, effect.endsUpload);
    const request: ApiRequest = { message, id, query };
    const reply = await asReply(handlers[route](this.#context, request), style);
    if (!fault || effect?.response === 'result') return reply;
    if (effect?.response === 'altered result') return alteredReply(reply, fault);
    if (effect?.response === 'error') return faultReply(fault, style);
    if (fault.kind === 'stall') await connectionEnd(message.socket);
    return fault.kind === 'stall' ? 'stall' : 'lost-answer';
  }

  /** Reads as much of the body as the fault specifies. */
  async #withoutWork(fault: FaultSpec, message: IncomingMessage): Promise<Outcome> {
    const isStatus = fault.kind === 'status';
    await discardBody(bodyChunks(message, this.#context.bandwidth), fault.afterBytes ?? (isStatus ? Infinity : 0));
    if (isStatus) return faultReply(fault, this.#context.rules.style);
    if (fault.kind === 'stall') await connectionEnd(message.socket);
    return fault.kind === 'stall' ? 'stall' : 'reset';
  }

  async #endUpload(id: string, status: 'expired' | 'cancelled'): Promise<void> {
    const upload = this.#context.store.get(id);
    if (upload?.record.status === 'pending' && !upload.busy) await this.#context.store.end(upload, status);
  }

  /** Sends a response, also before the end of the body. The rest of the body is then read and discarded. */
  async #send(message: IncomingMessage, response: ServerResponse, reply: Reply): Promise<string> {
    if (response.destroyed) return 'aborted';
    if (reply.stream !== undefined) {
      response.writeHead(reply.status, reply.headers);
      await reply.stream(response);
    } else {
      const isJson = reply.text === undefined;
      const body = Buffer.from(isJson ? JSON.stringify(reply.json) : reply.text);
      const type = isJson ? 'application/json' : 'text/html';
      const headers = { 'content-type': type, 'content-length': body.length, ...reply.headers };
      response.writeHead(reply.status, headers).end(body);
    }
    message.resume();
    return String(reply.status);
  }
}

function routeOf(style: ServiceStyle, method: string, pathname: string, query: URLSearchParams) {
  try {
    return matchRoute(method, style.routeOf(pathname, query));
  } catch (error) {
    if (error instanceof ApiProblem) return error;
    throw error;
  }
}

async function connectionEnd(socket: Socket): Promise<void> {
  if (socket.destroyed) return;
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
}

function toReply(problem: ApiProblem, style: ServiceStyle): Reply {
  const { status, message, details } = problem;
  return { status, headers: details.headers, json: style.errorBody(status, message, details) };
}

/** Converts rejections and faults of the server into responses. A lost connection remains an exception. */
async function asReply(work: Promise<Reply>, style: ServiceStyle): Promise<Reply> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ApiProblem) return toReply(error, style);
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (['ECONNRESET', 'ABORT_ERR', 'ERR_STREAM_PREMATURE_CLOSE'].includes(code)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return { status: 500, json: style.errorBody(500, `The local API failed: ${reason}`, { code: 'internal_error' }) };
  }
}

function faultReply(fault: FaultSpec, style: ServiceStyle): Reply {
  const status = fault.status ?? 503;
  const headers =
    fault.retryAfterSeconds === undefined ? undefined : { 'retry-after': String(fault.retryAfterSeconds) };
  const json = fault.body ?? style.errorBody(status, `Fault on demand: ${status}.`, { code: fault.code });
  return alteredReply(
    { status, headers, json },
    { headers: fault.headers, text: fault.text, textRepeat: fault.textRepeat },
  );
}
