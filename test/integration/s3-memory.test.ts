import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { runCli, startWorkerProcess, type CliRun } from '../support/cli.ts';
import { withProcessVariables } from '../support/process-variables.ts';
import { s3ServerChoices, withS3Server, type S3Server } from '../support/s3-servers.ts';
import { MiB, withSystem, type System } from '../support/system.ts';
import { until } from '../support/until.ts';

/** `S3_MEMORY_MIB=2048` for the long way, in which each worker is killed in the middle. */
const LONG_WAY = process.env['S3_MEMORY_MIB'];
const SIZE_BYTES = Number(LONG_WAY ?? 64) * MiB;
const KEY = 'large.bin';

async function writeLargeFile(path: string): Promise<void> {
  const file = await open(path, 'wx');
  for (let done = 0; done < SIZE_BYTES; done += 16 * MiB) await file.writeFile(randomBytes(16 * MiB));
  await file.close();
}

async function put({ endpoint, credentials, bucket }: S3Server, path: string): Promise<void> {
  const client = new S3Client({
    endpoint,
    credentials,
    region: 'us-east-1',
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  const Body = createReadStream(path);
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: KEY, Body, ContentLength: SIZE_BYTES }));
  client.destroy();
}

async function end(run: CliRun, signal: NodeJS.Signals): Promise<void> {
  run.child.kill(signal);
  await run.ended;
}

function received({ uploads }: System): number {
  return uploads().reduce((sum, { partsReceived }) => sum + partsReceived, 0);
}

/** Most memory that a process has had so far. */
async function peakMiB({ child }: CliRun): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

const [versitygw] = (await s3ServerChoices()).filter(({ name }) => name === 'versitygw');
const skipped = versitygw?.skipped;

describe.skipIf(skipped !== undefined)(`an object${skipped === undefined ? '' : ` (skipped: ${skipped})`}`, () => {
  it(
    'uses no more memory of a worker than a file',
    () =>
      withS3Server('versitygw', (server) =>
        withSystem(async (system) => {
          const file = join(system.directory, KEY);
          await writeLargeFile(file);
          await put(server, file);
          const aws = {
            AWS_ENDPOINT_URL_S3: server.endpoint,
            AWS_REGION: 'us-east-1',
            AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
            AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
          };
          const environment = { ...system.environment, ...aws };
          const peaks: number[] = [];
          for (const source of [file, `s3://${server.bucket}/${KEY}`]) {
            const before = received(system);
            const workers = [await startWorkerProcess(environment, '--slots', '4')];
            const words = ['upload', source, '--purpose', 'assistants', '--part-size', '16MiB', '--quiet', '--json'];
            const upload = withProcessVariables(aws, () => runCli(words, environment));
            if (LONG_WAY !== undefined) {
              await until(() => received(system) >= before + 50, 'the middle of the upload', 400_000);
              peaks.push(await peakMiB(workers[0] as CliRun));
              await end(workers[0] as CliRun, 'SIGKILL');
              workers.push(await startWorkerProcess(environment, '--slots', '4'));
            }
            const { code, stdout } = await upload;
            expect(code).toBe(0);
            peaks.push(await peakMiB(workers.at(-1) as CliRun));
            await end(workers.at(-1) as CliRun, 'SIGTERM');
            const { parts, partsSent, sessions, durationMs } = JSON.parse(stdout);
            if (LONG_WAY !== undefined) console.log({ source, parts, partsSent, sessions, durationMs });
          }
          if (LONG_WAY !== undefined) console.log('peaks in MiB (file: killed, next; object: killed, next)', peaks);
          const half = peaks.length / 2;
          const [ofFile, ofObject] = [Math.max(...peaks.slice(0, half)), Math.max(...peaks.slice(half))];
          expect(ofObject - ofFile).toBeLessThan(80);
        }),
      ),
    LONG_WAY === undefined ? undefined : 1_200_000,
  );
});
