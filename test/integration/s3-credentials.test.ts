import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { beginWorker } from '../support/cli.ts';
import { withProcessVariables } from '../support/process-variables.ts';
import { md5 } from '../support/random-file.ts';
import { s3ServerChoices, withS3Server, type S3Key, type S3Server } from '../support/s3-servers.ts';
import { MiB, partsReceived, withSystem, type System } from '../support/system.ts';

const PARTS = 10;
const KEY = 'train.jsonl';
const content = randomBytes(PARTS * MiB + 5);

const newKey = (): S3Key => ({
  accessKeyId: `longhaul-${randomBytes(8).toString('hex')}`,
  secretAccessKey: randomBytes(20).toString('hex'),
});

/** A bucket with an object in it, and a service with no credentials of AWS's but those that a test gives it. */
async function withObject(body: (system: System, server: S3Server) => Promise<void>): Promise<void> {
  await withS3Server('versitygw', async (server) => {
    const { endpoint, bucket, credentials } = server;
    const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: KEY, Body: content }));
    client.destroy();
    await withSystem((system) => body(system, server), { bandwidthBytesPerSecond: 2 * MiB });
  });
}

/** Runs `body` with a worker that has only these credentials. */
function withWorker(
  { environment, directory }: System,
  { endpoint }: S3Server,
  aws: Record<string, string>,
  body: () => Promise<void>,
): Promise<void> {
  const variables = { AWS_ENDPOINT_URL_S3: endpoint, AWS_REGION: 'us-east-1', AWS_EC2_METADATA_DISABLED: 'true' };
  return withProcessVariables({ HOME: directory, ...variables, ...aws }, async () => {
    await beginWorker(environment, '--slots', '4');
    await body();
  });
}

async function startUpload({ client, taskQueue }: System, { bucket }: S3Server) {
  const source = { type: 's3', bucket, key: KEY } as const;
  return client.upload({ source, id: `s3-${taskQueue}`, purpose: 'assistants', partSizeBytes: MiB });
}

/** It is complete, and no upload waited for an operator. */
async function expectArrived({ download }: System, handle: Awaited<ReturnType<typeof startUpload>>): Promise<void> {
  const states = new Set<string>();
  const watching = (async () => {
    for await (const event of handle.progress()) if (event.type === 'progress') states.add(event.progress.state);
  })();
  const result = await handle.result();
  await watching;
  expect(result).toMatchObject({ md5: md5(content), sessions: 1 });
  expect(md5(await download(result.file.id))).toBe(md5(content));
  expect([...states]).not.toContain('waiting');
}

/** Returns keys that the server accepts for a limited time. */
async function withIssuer(
  { allow }: S3Server,
  lifeMs: number,
  body: (url: string, issued: () => number) => Promise<void>,
): Promise<void> {
  const living = new Set<S3Key>();
  const timers: NodeJS.Timeout[] = [];
  let issued = 0;
  let telling = Promise.resolve();
  const tell = () => (telling = telling.then(() => allow([...living])));
  const issue = async (): Promise<object> => {
    const key = newKey();
    living.add(key);
    issued++;
    await tell();
    timers.push(setTimeout(() => living.delete(key) && void tell(), lifeMs));
    const Expiration = new Date(Date.now() + lifeMs).toISOString();
    return { AccessKeyId: key.accessKeyId, SecretAccessKey: key.secretAccessKey, Token: '', Expiration };
  };
  const issuer = createServer((_, response) => {
    void issue().then((credentials) => response.end(JSON.stringify(credentials)));
  }).listen(0, '127.0.0.1');
  await once(issuer, 'listening');
  try {
    await body(`http://127.0.0.1:${(issuer.address() as AddressInfo).port}/credentials`, () => issued);
  } finally {
    for (const timer of timers) clearTimeout(timer);
    issuer.closeAllConnections();
    issuer.close();
    await telling;
  }
}

const [versitygw] = (await s3ServerChoices()).filter(({ name }) => name === 'versitygw');
const skipped = versitygw?.skipped;

describe.skipIf(skipped !== undefined)(
  `credentials for an object${skipped === undefined ? '' : ` (skipped: ${skipped})`}`,
  () => {
    it('that expire within seconds are requested again during an upload', () =>
      withObject((system, server) =>
        withIssuer(server, 1500, (url, issued) =>
          withWorker(system, server, { AWS_CONTAINER_CREDENTIALS_FULL_URI: url }, async () => {
            const handle = await startUpload(system, server);
            await partsReceived(system, 1);
            const before = issued();
            await expectArrived(system, handle);
            expect(issued()).toBeGreaterThan(before + 1);
          }),
        ),
      ));

    it('without a known expiry are read again when the store rejects them', () =>
      withObject(async (system, server) => {
        const path = join(system.directory, 'credentials');
        const write = ({ accessKeyId, secretAccessKey }: S3Key) =>
          writeFile(path, `[default]\naws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\n`);
        const [first, second] = [newKey(), newKey()];
        await server.allow([first]);
        await write(first);
        await withWorker(system, server, { AWS_SHARED_CREDENTIALS_FILE: path }, async () => {
          const handle = await startUpload(system, server);
          await partsReceived(system, 3);
          await write(second);
          await server.allow([second]);
          expect(system.uploads()[0]?.partsReceived).toBeLessThan(PARTS - 4);
          await expectArrived(system, handle);
        });
      }));
  },
);
