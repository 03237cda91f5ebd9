import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli, startCli, type CliOutcome } from '../support/cli.ts';
import { withHttpOrigin, type HttpOrigin } from '../support/http-origin.ts';
import { withOtlpCollector, type OtlpCollector } from '../support/otlp-collector.ts';
import { randomFile } from '../support/random-file.ts';
import { MiB, withSystem, type System } from '../support/system.ts';
import { textIn } from '../support/text-in.ts';
import { until } from '../support/until.ts';

const purpose = 'assistants';
const partSizeBytes = MiB;

/** One for each place where a secret may be; none is a part of another. */
const canaries = {
  apiKey: 'sk-canary-of-the-key-5e1f',
  teamKey: 'sk-canary-of-the-team-key-77b0',
  teamHeader: 'canary-of-a-header-c2d9',
  teamQuery: 'canary-of-a-query-90aa',
  urlSignature: 'canary-of-a-signature-31c4',
  sealKey: 'canary-of-the-seal-key-8f02',
  awsSecret: 'canary-of-aws-secret-access-key-64ce',
  awsToken: 'canary-of-an-aws-session-token-19bd',
  temporalHeader: 'canary-of-a-temporal-header-d7e3',
  traceHeader: 'canary-of-a-trace-header-a815',
  sourceHeader: 'canary-of-a-source-header-e46b',
} as const;

interface Output {
  readonly where: string;
  readonly text: string;
}

/** Which canaries a text has, also when it has them in base64. */
function found({ where, text }: Output): string[] {
  return Object.entries(canaries).flatMap(([name, secret]) => {
    const forms = [secret, Buffer.from(secret).toString('base64').slice(0, -4), encodeURIComponent(secret)];
    return forms.some((form) => text.includes(form)) ? [`${name} in ${where}`] : [];
  });
}

async function environmentOf(
  { environment, directory, api }: System,
  origin: HttpOrigin,
  collector: OtlpCollector,
): Promise<Record<string, string>> {
  const config = join(directory, 'config', 'config.json');
  await mkdir(join(directory, 'config'));
  await writeFile(
    config,
    JSON.stringify({
      sources: {
        http: {
          allowPrivate: ['127.0.0.1'],
          headers: { [`127.0.0.1:${origin.port}`]: { Authorization: { env: 'SOURCE_TOKEN', prefix: 'Bearer ' } } },
        },
      },
      destinations: {
        team: {
          baseUrl: api.url,
          apiKeyEnv: 'TEAM_KEY',
          headers: { 'x-team-token': canaries.teamHeader },
          query: { 'access-token': canaries.teamQuery },
        },
      },
    }),
  );
  return {
    ...environment,
    LONGHAUL_CONFIG: config,
    LONGHAUL_LOG_LEVEL: 'trace',
    LONGHAUL_SEAL_KEY: canaries.sealKey,
    OPENAI_API_KEY: canaries.apiKey,
    TEAM_KEY: canaries.teamKey,
    SOURCE_TOKEN: canaries.sourceHeader,
    AWS_ENDPOINT_URL_S3: origin.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: canaries.awsSecret,
    AWS_SESSION_TOKEN: canaries.awsToken,
    TEMPORAL_GRPC_META_X_CANARY: canaries.temporalHeader,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: `x-canary=${canaries.traceHeader}`,
  };
}

/** An answer that repeats what the service was sent. */
const echo = (...secrets: readonly string[]) => ({
  error: { message: `Wrong: ${secrets.join(', ')}`, code: secrets[0] },
});

/** Everything of a workflow that anybody can read in Temporal. */
async function temporalOutputs({ client }: System, workflowId: string): Promise<Output[]> {
  const handle = client.temporal.workflow.getHandle(workflowId);
  const { raw, memo, searchAttributes } = await handle.describe();
  return [
    { where: `the history of ${workflowId}`, text: textIn(await handle.fetchHistory()) },
    { where: `the description of ${workflowId}`, text: textIn([raw, memo, searchAttributes]) },
    { where: `the progress of ${workflowId}`, text: textIn(await handle.query('progress').catch(String)) },
    {
      where: `the details of ${workflowId}`,
      text: textIn(await handle.query('__temporal_workflow_metadata').catch(String)),
    },
  ];
}

it(
  'no secret of the environment, a URL, a header or a query is in any output, log, metric or history',
  () =>
    withOtlpCollector((collector) =>
      withHttpOrigin({}, (origin) =>
        withSystem(
          async (system) => {
            const { api, client, directory, taskQueue } = system;
            const environment = await environmentOf(system, origin, collector);
            const { apiKey, teamKey, teamHeader, teamQuery } = canaries;
            const outputs: Output[] = [];
            const run = async (...args: string[]): Promise<CliOutcome> => {
              const outcome = await runCli(args, environment);
              outputs.push({ where: `longhaul ${args.join(' ')}`, text: `${outcome.stdout}\n${outcome.stderr}` });
              return outcome;
            };
            /** Its command line is not part of its output. */
            const runSigned = async (url: string) => {
              const outcome = await runCli(['upload', url, '--purpose', purpose, '--json'], environment);
              outputs.push({ where: 'longhaul upload URL', text: `${outcome.stdout}\n${outcome.stderr}` });
              return outcome;
            };
            const file = async (name: string) => {
              await randomFile(join(directory, name), 2 * MiB);
              return join(directory, name);
            };
            const start = async (id: string, options: { destination?: string } = {}) =>
              client.upload({
                id: `${taskQueue}-${id}`,
                file: await file(`${id}.bin`),
                purpose,
                partSizeBytes,
                ...options,
              });
            const worker = startCli(['worker', '--metrics-port', '0'], environment);
            await until(() => worker.said().includes('worker on '), 'the worker to serve');

            // What succeeds: a file, and a URL that only its signature opens.
            expect(await run('upload', await file('good.bin'), '--purpose', purpose)).toMatchObject({ code: 0 });
            origin.behaviour.content = Buffer.alloc(MiB, 7);
            origin.behaviour.answer = ({ headers }, response) =>
              headers.authorization !== `Bearer ${canaries.sourceHeader}` && Boolean(response.writeHead(401).end());
            const signed = `${origin.url}/signed.bin?X-Amz-Signature=${canaries.urlSignature}`;
            expect(await runSigned(signed)).toMatchObject({ code: 0 });

            const plain = await runCli(['upload', `${origin.url}/x.bin`, '--purpose', purpose, '--spool'], environment);
            expect(plain).toMatchObject({ code: 0 });
            outputs.push({ where: 'longhaul upload --spool', text: plain.stdout + plain.stderr });

            // What waits, at a service that repeats what it was sent.
            api.faults.add({
              route: 'part',
              kind: 'status',
              status: 403,
              count: 1000,
              body: echo(teamKey, teamHeader, teamQuery),
            });
            const waiting = await start('waiting', { destination: 'team' });
            await until(async () => (await waiting.status()).state === 'waiting', 'the upload to wait');
            api.faults.clear();

            // What fails, in the same words.
            api.faults.add({ route: 'create', kind: 'status', status: 422, body: echo(apiKey) });
            const failed = await start('failed');
            await expect(failed.result()).rejects.toThrow(/422/);

            // What can't be read: a bucket and a server that repeat what they were asked, too.
            origin.behaviour.answer = (request, response) => {
              // The inspection of a resource, whose content is then rejected.
              if (request.url === '/resource.bin' && request.headers.range === 'bytes=0-0') return false;
              const asked = JSON.stringify([request.url, request.headers, signed]);
              response
                .writeHead(403)
                .end(`<Error><Code>SignatureDoesNotMatch</Code><Message>${asked}</Message></Error>`);
              return true;
            };
            const bucket = await client.upload({
              id: `${taskQueue}-bucket`,
              source: { type: 's3', bucket: 'training', key: 'secret.bin' },
              purpose,
            });
            await expect(bucket.result()).rejects.toThrow(/secret\.bin/);
            const resource = await client.upload({
              id: `${taskQueue}-resource`,
              source: { type: 'http', url: `${origin.url}/resource.bin` },
              purpose,
            });
            await until(
              async () => (await resource.status()).state === 'waiting',
              'the upload of the resource to wait',
            );
            const [unread, refused] = await Promise.all([
              run('upload', 's3://training/secret.bin', '--purpose', purpose),
              runSigned(`${signed}2`),
            ]);
            expect([unread.code, refused.code]).toEqual([2, 2]);

            const all = client.temporal.workflow.list({ query: `TaskQueue = "${taskQueue}"` });
            const ids: string[] = [];
            for await (const { workflowId } of all) ids.push(workflowId);
            expect(ids.length).toBeGreaterThanOrEqual(6);

            await Promise.all([
              run('list'),
              run('list', '--json'),
              run('top', '--once'),
              run('top', '--json'),
              run('doctor', '--json'),
              run('status', waiting.workflowId),
              run('status', failed.workflowId, '--json'),
            ]);
            outputs.push(...(await Promise.all(ids.map((id) => temporalOutputs(system, id)))).flat());
            const metrics = /metrics on (http:\S+\/metrics)/.exec(worker.said())?.[1] ?? '';
            outputs.push({ where: 'the metrics', text: await (await fetch(metrics)).text() });
            worker.child.kill('SIGTERM');
            const { stdout, stderr } = await worker.ended;
            outputs.push({ where: 'the log', text: stdout + stderr });
            outputs.push({ where: 'the traces', text: collector.text() });

            // Each output has the expected content.
            const said = (where: string) =>
              outputs
                .filter((output) => output.where.startsWith(where))
                .map(({ text }) => text)
                .join('\n');
            expect(said('the log')).toMatch(/403[\s\S]*422[\s\S]*resource\.bin/);
            expect(said('the traces')).toMatch(/RunActivity:uploadPart[\s\S]*POST/);
            expect(said('the metrics')).toContain('longhaul_parts_total');
            expect(said('the details')).toContain('the key has no permission');
            expect(said('the history')).toMatch(/sealedQuery/);
            expect(said('longhaul list --json')).toContain(waiting.workflowId);
            expect(said('longhaul top --json')).toContain(waiting.workflowId);
            expect(outputs.flatMap(found)).toEqual([]);
            expect(Object.values(canaries).flatMap((secret) => found({ where: 'itself', text: secret }))).toHaveLength(
              11,
            );
          },
          { apiKey: undefined },
        ),
      ),
    ),
  180_000,
);
