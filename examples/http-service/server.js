// A service that uploads files of its machine. A Longhaul worker, which reads only permitted directories, sends them.
import Fastify from 'fastify';
import { LonghaulClient, LonghaulError } from 'longhaul';

const longhaul = await LonghaulClient.connect({ taskQueue: process.env.LONGHAUL_TASK_QUEUE });
const app = Fastify({ forceCloseConnections: true });

const upload = {
  type: 'object',
  required: ['path'],
  properties: { path: { type: 'string', minLength: 1 }, purpose: { type: 'string', default: 'batch' } },
};

// The same path attaches to the same upload, so a client can repeat this call.
app.post('/uploads', { schema: { body: upload } }, async (request, reply) => {
  const { path, purpose } = request.body;
  const { workflowId } = await longhaul.upload({ file: path, purpose });
  reply.code(202);
  return { id: workflowId, events: `/uploads/${encodeURIComponent(workflowId)}/events` };
});

app.get('/uploads/:id/events', async (request, reply) => {
  const handle = longhaul.getHandle(request.params.id);
  await handle.describe(); // An unknown ID gets its 404 before the stream starts.
  reply.hijack();
  const closed = new AbortController();
  reply.raw.on('close', () => closed.abort());
  reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const send = (event, data) => reply.raw.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  try {
    for await (const event of handle.progress({ signal: closed.signal })) {
      if (event.type !== 'progress') continue;
      const { state, bytesTotal, waiting } = event.progress;
      send('progress', { state, bytesSent: event.bytesSent, bytesTotal, waiting: waiting?.reason });
    }
    if (!closed.signal.aborted) send('completed', { file: (await handle.result()).file });
  } catch (error) {
    send('failed', { code: error.code, message: error.message });
  }
  reply.raw.end();
});

app.delete('/uploads/:id', async (request, reply) => {
  await longhaul.getHandle(request.params.id).cancel();
  reply.code(204);
});

const statuses = { CONFIG_INVALID: 400, SOURCE_MISSING: 400, SOURCE_UNUSABLE: 400, JOB_NOT_FOUND: 404 };

app.setErrorHandler((error, _request, reply) => {
  const status =
    error instanceof LonghaulError
      ? (statuses[error.code] ?? (error.retryable ? 503 : 500))
      : (error.statusCode ?? 500);
  reply.code(status).send({ code: error.code, message: status === 500 ? 'internal error' : error.message });
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await app.close();
    await longhaul.close(); // Uploads continue on their workers.
  });
}
console.log(await app.listen({ port: Number(process.env.PORT ?? 3000) }));
