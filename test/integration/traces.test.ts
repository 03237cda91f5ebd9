import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import { workflowBundlePath } from 'longhaul/worker';
import { describe, expect, it } from 'vitest';
import { withCaptureServer } from '../support/capture-server.ts';
import { runCliProcess, startWorkerProcess } from '../support/cli.ts';
import { withOtlpCollector, type CollectedSpan } from '../support/otlp-collector.ts';
import { randomFile } from '../support/random-file.ts';
import { KEY, MiB, withSystem } from '../support/system.ts';

const upload = (file: string) => ['upload', file, '--purpose', 'assistants', '--part-size', '1MiB', '--quiet'];

/** Runs `body` alongside a worker process, which has sent all its spans when this returns. */
async function besideWorker<T>(environment: Readonly<Record<string, string>>, body: () => Promise<T>): Promise<T> {
  const worker = await startWorkerProcess(environment);
  const result = await body();
  worker.child.kill('SIGTERM');
  expect((await worker.ended).code).toBe(0);
  return result;
}

/** Names from the first span that has no parent to the given one. */
function wayTo(span: CollectedSpan, spans: readonly CollectedSpan[]): string[] {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  if (span.parentSpanId && !parent) return ['an unknown span', span.name];
  return [...(parent ? wayTo(parent, spans) : []), span.name];
}

const attribute = ({ attributes }: CollectedSpan, name: string) =>
  attributes.find(({ key }) => key === name)?.value['stringValue'];

describe('the traces of an upload', () => {
  it('are one trace, from the command to each call, and reach the destination only if configured', () =>
    withOtlpCollector((collector) =>
      withCaptureServer({ reply: () => ({ status: 400, body: { error: { message: 'no' } } }) }, (server) =>
        withSystem(async ({ client, environment, directory, api, uploads }) => {
          const config = join(directory, 'config.json');
          const destination = { baseUrl: server.baseUrl, apiKeyEnv: 'OPENAI_API_KEY' };
          await writeFile(
            config,
            JSON.stringify({ destinations: { quiet: destination, told: { ...destination, traceHeaders: true } } }),
          );
          const file = join(directory, 'traced.bin');
          await randomFile(file, 2 * MiB);
          api.faults.add({ route: 'part', kind: 'status', status: 503, retryAfterSeconds: 0 });
          const traced = { ...environment, LONGHAUL_CONFIG: config, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
          const workflowId = `traced-${client.taskQueue}`;
          const { code, stderr } = await besideWorker(traced, async () => {
            for (const name of ['quiet', 'told']) {
              const handle = await client.upload({ file, purpose: 'assistants', destination: name });
              await expect(handle.result()).rejects.toThrow('no');
            }
            return runCliProcess([...upload(file), '--id', workflowId], traced);
          });
          expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('unexpected') });

          const { spans } = collector;
          expect(new Set(spans.map(({ traceId }) => traceId)).size, 'one for each upload').toBe(3);
          const path = `/v1/uploads/${uploads()[0]?.id}/parts`;
          const parts = spans.filter((span) => attribute(span, 'url.path') === path);
          expect(parts).toHaveLength(3);
          for (const part of parts) {
            expect(wayTo(part, spans)).toEqual([
              'StartWorkflow:uploadFile',
              'RunWorkflow:uploadFile',
              'StartActivity:uploadPart',
              'RunActivity:uploadPart',
              'POST',
            ]);
          }
          const failed = parts.filter(({ status }) => status.code === 2);
          expect(failed.map((span) => attribute(span, 'error.type'))).toEqual(['ApiError']);
          expect(spans.filter(({ name }) => /Query/.test(name))).toEqual([]);
          expect(collector.text()).not.toContain(KEY);

          // W3C's header.
          const headers = server.requests.map((request) => request.headers['traceparent']);
          expect(headers).toEqual([undefined, expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)]);
          const sender = spans.find(({ spanId }) => headers[1]?.includes(spanId));
          expect(sender?.name).toBe('POST');
          expect(headers[1]).toContain(sender?.traceId);

          // Traces may be turned off while an upload runs.
          const history = await client.temporal.workflow.getHandle(workflowId).fetchHistory();
          await Worker.runReplayHistory({ workflowBundle: { codePath: workflowBundlePath } }, history, workflowId);
        }),
      ),
    ));

  it('delay nothing if they cannot be delivered', () =>
    withSystem(async ({ client, environment, directory }) => {
      const file = join(directory, 'traced.bin');
      await randomFile(file, 1024);
      const nowhere = { ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
      const uploaded = await besideWorker(nowhere, async () =>
        (await client.upload({ file, purpose: 'assistants' })).result(),
      );
      expect(uploaded.parts).toBe(1);
    }));
});
