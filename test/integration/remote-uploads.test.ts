import { randomBytes, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { FailureType, LonghaulClient, type UploadRequest } from 'longhaul';
import { describe, expect, it } from 'vitest';
import { beginWorker, runCli, startWorkerProcess, type CliOutcome } from '../support/cli.ts';
import { withHttpOrigin } from '../support/http-origin.ts';
import { withProcessVariables } from '../support/process-variables.ts';
import { md5 } from '../support/random-file.ts';
import { s3ServerChoices, withS3Server, type S3Server } from '../support/s3-servers.ts';
import { MiB, partsReceived, withSystem } from '../support/system.ts';

const PARTS = 9;
const SLOTS = 4;
const slots = ['--slots', String(SLOTS)];
const KEY = 'nightly/train.jsonl';
const CANARY = 'signature-canary-0451';

interface Bucket {
  readonly url: string;
  readonly put: (bytes: Buffer) => Promise<void>;
  /** How a user names this server to the command line: by AWS's own variables. */
  readonly aws: Readonly<Record<string, string>>;
}

async function withBucket(name: S3Server['name'], body: (bucket: Bucket) => Promise<void>): Promise<void> {
  await withS3Server(name, async ({ endpoint, bucket, credentials }) => {
    const client = new S3Client({
      endpoint,
      credentials,
      region: 'us-east-1',
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
    try {
      await body({
        url: `s3://${bucket}/${KEY}`,
        put: async (bytes) => {
          await client.send(new PutObjectCommand({ Bucket: bucket, Key: KEY, Body: bytes }));
        },
        aws: {
          AWS_ENDPOINT_URL_S3: endpoint,
          AWS_REGION: 'us-east-1',
          AWS_ACCESS_KEY_ID: credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        },
      });
    } finally {
      client.destroy();
    }
  });
}

function runUpload(url: string, environment: Readonly<Record<string, string>>): Promise<CliOutcome> {
  return runCli(['upload', url, '--purpose', 'assistants', '--part-size', '1MiB', '--json'], environment);
}

/** Starts a worker. @returns a function that kills its process, or shuts it down in this process */
async function startFirst(isKilled: boolean, environment: Readonly<Record<string, string>>) {
  if (!isKilled) {
    const worker = await beginWorker(environment, ...slots);
    return () => {
      worker.interrupt();
      return worker.ended;
    };
  }
  const { child, ended } = await startWorkerProcess(environment, ...slots);
  return () => {
    child.kill('SIGKILL');
    return ended;
  };
}

const slow = { bandwidthBytesPerSecond: 3 * MiB };
const choices = await s3ServerChoices();
/** The one with a kill, which takes a process. */
const ofKill = choices.find(({ skipped }) => skipped === undefined)?.name;

for (const { name, skipped } of choices) {
  const isKilled = name === ofKill;
  const reason = skipped === undefined ? '' : ` (skipped: ${skipped})`;
  describe.skipIf(skipped !== undefined)(`an object of ${name}${reason}`, () => {
    it(`is uploaded byte for byte, and resumes on another worker if the first is ${isKilled ? 'killed' : 'shut down'}`, () =>
      withBucket(name, ({ url, put, aws }) =>
        withSystem(
          (system) =>
            withProcessVariables(aws, async () => {
              const content = randomBytes(PARTS * MiB + 5);
              await put(content);
              const stopFirst = await startFirst(isKilled, system.environment);
              const [, bucket = '', key = ''] = /^s3:..([^/]+).(.*)$/.exec(url) ?? [];
              const handle = await system.client.upload({
                source: { type: 's3', bucket, key },
                // The client doesn't look at a `source`: other bytes under the same name would be the same upload.
                id: `killed-${randomUUID()}`,
                purpose: 'assistants',
                partSizeBytes: MiB,
                heartbeatTimeoutMs: 3000,
              });
              await partsReceived(system, PARTS / 3);
              await stopFirst();
              await beginWorker(system.environment, ...slots);
              const result = await handle.result();
              expect(result).toMatchObject({ md5: md5(content), sessions: 1, file: { filename: 'train.jsonl' } });
              expect((await system.download(result.file.id)).equals(content)).toBe(true);
              const partsBegun = system.uploads()[0]?.partsBegun;
              expect(partsBegun).toBeGreaterThan(PARTS + 1);
              expect(partsBegun).toBeLessThanOrEqual(PARTS + 1 + SLOTS);
            }),
          slow,
        ),
      ));

    it('that is overwritten during the upload fails with SourceChanged, and its session is cancelled', () =>
      withBucket(name, ({ url, put, aws }) =>
        withSystem(
          (system) =>
            withProcessVariables(aws, async () => {
              await put(randomBytes(PARTS * MiB));
              await beginWorker(system.environment, ...slots);
              const run = runUpload(url, system.environment);
              await partsReceived(system, 2);
              await put(randomBytes(PARTS * MiB));
              const { code, stdout, stderr } = await run;
              expect(stderr).not.toMatch(/unexpected|Warning/);
              expect(code).toBe(1);
              expect(JSON.parse(stdout)).toMatchObject({ error: { code: FailureType.SourceChanged } });
              expect(system.uploads()).toMatchObject([{ status: 'cancelled', completions: 0 }]);
            }),
          slow,
        ),
      ));
  });
}

describe('a resource of an HTTP server', () => {
  it('is uploaded from a signed URL, whose signature is neither in the history nor in output', () =>
    withHttpOrigin({ content: randomBytes(3 * MiB + 1) }, (origin) =>
      withSystem(async (system) => {
        const { client, directory } = system;
        const config = join(directory, 'config.json');
        await writeFile(config, JSON.stringify({ sources: { http: { allowPrivate: ['127.0.0.1'] } } }));
        const more = { LONGHAUL_CONFIG: config, LONGHAUL_SEAL_KEY: 'seal-key-canary-0451' };
        const environment = { ...system.environment, ...more };
        await beginWorker(environment);
        const url = `${origin.url}/data/my%20set.jsonl?X-Amz-Signature=${CANARY}`;
        const { code, stdout, stderr } = await runUpload(url, environment);
        expect(stderr).not.toMatch(/unexpected|Warning/);
        expect(code).toBe(0);
        const result = JSON.parse(stdout);
        expect(result).toMatchObject({ md5: md5(origin.behaviour.content), file: { filename: 'my set.jsonl' } });
        expect(origin.requests.length).toBeGreaterThan(0);
        expect(origin.requests.every(({ path }) => path.includes(CANARY))).toBe(true);

        const handle = client.temporal.workflow.getHandle(result.workflowId);
        const history = JSON.stringify([await handle.fetchHistory(), await handle.describe()]);
        const inBase64 = Buffer.from(CANARY).toString('base64').slice(0, -4);
        for (const text of [history, Buffer.from(history).toString(), stdout, stderr, result.workflowId]) {
          expect(text).not.toContain(CANARY);
          expect(text).not.toContain(inBase64);
          expect(text).not.toContain('seal-key-canary-0451');
        }
      }),
    ));

  it('is uploaded in pieces from a signed URL, and no other workflow can use its sealed query', async () => {
    const content = Buffer.from(`${'x'.repeat(1023)}\n`.repeat(3 * 1024));
    await withHttpOrigin({ content }, (origin) =>
      withSystem(async ({ client: { taskQueue }, temporalAddress, startWorker, download }) => {
        const [sealKey, previousSealKey] = ['replaced-seal-key-0451', 'seal-key-canary-0451'];
        const http = { hosts: ['127.0.0.1'], allowPrivate: ['127.0.0.1'] };
        // The client still has the old key.
        await startWorker({ sources: { http, sealKey, previousSealKey } });
        const connection = { address: temporalAddress };
        const client = await LonghaulClient.connect({
          connection,
          taskQueue,
          sources: { http, sealKey: previousSealKey },
        });
        try {
          const url = `${origin.url}/data/set.jsonl?sig=${CANARY}`;
          const handle = await client.uploadSplit({ url, purpose: 'assistants', pieceSizeBytes: 2 * MiB });
          const { files } = await handle.result();
          const pieces = await Promise.all(files.map(({ id }) => download(id)));
          expect(pieces).toHaveLength(2);
          expect(Buffer.concat(pieces).equals(content)).toBe(true);

          const { events } = await client.temporal.workflow.getHandle(handle.workflowId).fetchHistory();
          const input = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data ?? '';
          const { source } = JSON.parse(Buffer.from(input).toString()) as UploadRequest;
          expect(source).toMatchObject({ sealedQuery: expect.stringMatching(/^v2\./) });
          const requests = origin.requests.length;
          for (const id of [`stolen-${taskQueue}`, `${handle.workflowId}-00003-of-00003`]) {
            const stolen = await client.upload({ source, purpose: 'assistants', id });
            await expect(stolen.result()).rejects.toMatchObject({ failureType: FailureType.SourceForbidden });
          }
          expect(origin.requests).toHaveLength(requests);
        } finally {
          await client.close();
        }
      }),
    );
  });

  it('at a private address is rejected by a worker that does not allow it, for each form of request', () =>
    withHttpOrigin({ content: randomBytes(100) }, (origin) =>
      withSystem(async ({ client, startWorker, uploads }) => {
        await startWorker();
        const source = { type: 'http', url: `${origin.url}/x` } as const;
        const handle = await client.upload({ source, purpose: 'assistants' });
        await expect(handle.result()).rejects.toMatchObject({ failureType: FailureType.SourceForbidden });
        expect(origin.requests).toEqual([]);
        expect(uploads()).toEqual([]);
      }),
    ));
});
