import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encryptedDataConverter, LonghaulClient } from 'longhaul';
import { expect, it } from 'vitest';
import { acquireEmbeddedTemporal } from '../../src/dev/server/join.ts';
import { findBrowser, withPage } from '../support/browser.ts';
import { beginCli } from '../support/cli.ts';
import { withStateDir } from '../support/state-dir.ts';
import { withSystem } from '../support/system.ts';
import { temporalCliForTests } from '../support/temporal-cli.ts';
import { until } from '../support/until.ts';

const CANARY = 'canary-51c2';
const executablePath = findBrowser();

it.skipIf(executablePath === undefined)(
  'Temporal UI shows the input of an encrypted upload with the codec server',
  () =>
    withStateDir(async (stateDir) => {
      const temporal = await acquireEmbeddedTemporal({ stateDir, cli: temporalCliForTests, lingerMs: 0 });
      try {
        await withSystem(
          async ({ directory, environment, startWorker, taskQueue, temporalAddress }) => {
            const keyFile = join(directory, 'encryption-keys');
            await writeFile(keyFile, `2026-11 ${randomBytes(32).toString('base64')}\n`);
            const file = join(directory, `${CANARY}.jsonl`);
            await writeFile(file, '{}\n');
            const dataConverter = encryptedDataConverter({ keyFile });
            await startWorker({ dataConverter });
            const connection = { address: temporalAddress };
            const client = await LonghaulClient.connect({ connection, taskQueue, dataConverter });
            const upload = await client.upload({ file, purpose: 'assistants' });
            await upload.result();
            await client.close();

            const server = beginCli(['codec-server', '--port', '0'], {
              ...environment,
              LONGHAUL_ENCRYPTION_KEY_FILE: keyFile,
            });
            await until(() => server.stderr().includes('--codec-endpoint'), 'the codec server');
            const endpoint = /--codec-endpoint\s+(\S+)/.exec(server.stderr())?.[1] ?? '';
            await withPage({ executablePath: executablePath as string }, async (page) => {
              const input = page.getByRole('textbox', { name: 'Input' });
              await page.goto(`${temporal.uiUrl}/namespaces/default/workflows/${upload.workflowId}`);
              await input.waitFor();
              expect(await input.textContent()).not.toContain(CANARY);

              await page.getByRole('button', { name: 'Configure Codec Server' }).click();
              await page.getByTestId('use-local-endpoint-input').check();
              await page.getByPlaceholder('Paste your endpoint here').fill(endpoint);
              await page.getByRole('button', { name: 'Apply' }).click();
              await page.reload();
              await input.getByText(CANARY).first().waitFor();
            });
            server.interrupt();
            await server.ended;
          },
          { temporalAddress: temporal.address },
        );
      } finally {
        await temporal.release();
      }
    }),
);
