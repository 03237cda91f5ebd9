import { randomBytes } from 'node:crypto';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import type { S3Settings } from '../../src/sources/source-settings.ts';
import { runCli } from '../support/cli.ts';
import { withProcessVariables } from '../support/process-variables.ts';
import { md5 } from '../support/random-file.ts';
import { s3ServerChoices, withS3Server, type S3Server } from '../support/s3-servers.ts';
import { MiB, withSystem } from '../support/system.ts';

const purpose = 'assistants';

async function put({ endpoint, credentials, bucket }: S3Server, key: string, sizeBytes: number): Promise<Buffer> {
  const content = randomBytes(sizeBytes);
  const s3 = new S3Client({
    endpoint,
    credentials,
    region: 'us-east-1',
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  try {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: content }));
    return content;
  } finally {
    s3.destroy();
  }
}

function connection({ endpoint, credentials }: S3Server) {
  return { any: true, s3: { default: { endpoint, region: 'us-east-1', credentials } } };
}

for (const { name, skipped } of await s3ServerChoices()) {
  describe.skipIf(skipped !== undefined)(
    `an object at ${name}${skipped === undefined ? '' : ` (skipped: ${skipped})`}`,
    () => {
      const withServer = (body: (server: S3Server) => Promise<void>) => withS3Server(name, body);

      it('is uploaded byte for byte, and its ETag identifies its content', () =>
        withServer((server) =>
          withSystem(async ({ client, startWorker, download, taskQueue }) => {
            const content = await put(server, 'data/train set.jsonl', 5 * MiB + 7);
            const sources = connection(server);
            await startWorker({ sources });
            const source = { type: 's3', bucket: server.bucket, key: 'data/train set.jsonl' } as const;
            const handle = await client.upload({ source, purpose, partSizeBytes: MiB, id: `s3-${taskQueue}` });
            const result = await handle.result();
            expect(result).toMatchObject({ parts: 6, partsSent: 6, md5: md5(content) });
            expect(result.file.filename).toBe('train set.jsonl');
            expect(md5(await download(result.file.id))).toBe(md5(content));
          }),
        ));

      it('is uploaded by the command with all objects under a prefix, or that match a glob', () =>
        withServer((server) =>
          withSystem(async (system) => {
            for (const key of ['set/a.jsonl', 'set/b/c.jsonl', 'set/d.txt', 'other.jsonl'])
              await put(server, key, 1000);
            await system.startWorker({ sources: connection(server) });
            const { endpoint, bucket, credentials } = server;
            const aws = {
              AWS_ENDPOINT_URL_S3: endpoint,
              AWS_REGION: 'us-east-1',
              AWS_ACCESS_KEY_ID: credentials.accessKeyId,
              AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
            };
            const upload = async (url: string, key = credentials.secretAccessKey) => {
              const { stdout, stderr, code } = await withProcessVariables({ ...aws, AWS_SECRET_ACCESS_KEY: key }, () =>
                runCli(['upload', url, '--purpose', purpose, '--json'], system.environment),
              );
              const lines = stdout
                .trim()
                .split('\n')
                .map((line) => JSON.parse(line) as Record<string, any>);
              return { names: lines.map(({ file }) => file?.filename as string).toSorted(), lines, stderr, code };
            };
            const glob = await upload(`s3://${bucket}/set/*.jsonl`);
            expect(glob).toMatchObject({ names: ['a.jsonl'], code: 0 });
            expect(glob.lines).toMatchObject([{ source: `s3://${bucket}/set/a.jsonl`, resumed: false }]);
            const prefix = await upload(`s3://${bucket}/set/`);
            expect(prefix).toMatchObject({ names: ['a.jsonl', 'c.jsonl', 'd.txt'], code: 0 });
            expect(prefix.stderr).toMatch(/a\.jsonl: .* already uploaded, sent nothing/);

            // What the store answers to them is the same at each, and versitygw keeps to the letter.
            if (name !== 'versitygw') return;
            const failing = [
              await upload(`s3://${bucket}/empty/`),
              await upload(`s3://${bucket}/set/*.csv`),
              await upload('s3://no-such-bucket/set/'),
              await upload(`s3://${bucket}/set/`, 'wrong'),
            ];
            expect(failing.map(({ code, lines: [line] }) => [code, line?.error.code, line?.error.message])).toEqual([
              [2, 'ConfigInvalid', expect.stringContaining('no object found under')],
              [2, 'ConfigInvalid', expect.stringContaining('no object matches')],
              [2, 'SourceMissing', expect.stringContaining('no-such-bucket')],
              [2, 'SourceMissing', expect.stringMatching(/the store denied access/)],
            ]);
          }),
        ));

      it('is uploaded once by a sync with all objects under its prefix', () =>
        withServer((server) =>
          withSystem(async ({ client, startWorker, api }) => {
            for (const key of ['set/a.jsonl', 'set/b/c.jsonl', 'settings/other.jsonl']) await put(server, key, 1000);
            await startWorker({ sources: connection(server) });
            const source = { type: 's3', bucket: server.bucket, prefix: 'set' } as const;
            const first = await (await client.sync({ source, purpose })).result();
            expect(first.counts).toMatchObject({ sent: { files: 2 }, failed: 0 });
            const second = await (await client.sync({ source, purpose })).result();
            expect(second.counts).toMatchObject({ sent: { files: 0 }, same: 2 });
            expect(api.stats().uploads).toHaveLength(2);
          }),
        ));

      it('fails with a clear message if it does not exist or its bucket is not permitted', () =>
        withServer((server) =>
          withSystem(async ({ client, startWorker, taskQueue }) => {
            const settings: S3Settings = connection(server).s3.default;
            await startWorker({ sources: { s3: { default: { ...settings, buckets: ['train*'] } } } });
            const failure = async (bucket: string) => {
              const source = { type: 's3', bucket, key: 'none' } as const;
              return (await client.upload({ source, purpose, id: `${bucket}-${taskQueue}` }))
                .result()
                .catch((error: unknown) => error);
            };
            expect(await failure(server.bucket)).toMatchObject({ failureType: 'SourceMissing' });
            expect(await failure('private')).toMatchObject({
              failureType: 'SourceForbidden',
              message: expect.stringContaining('does not permit the bucket private'),
            });
          }),
        ));
    },
  );
}
