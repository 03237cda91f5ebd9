/** `npm run smoke`: checks which assumptions about the Uploads API are true at a service. */
import { parseArgs } from 'node:util';
import { loadConfig } from '../../src/config/config.ts';
import { requireDestination } from '../../src/config/destinations.ts';
import { createDestination } from '../../src/destinations/kinds.ts';
import { longhaulVersion } from '../../src/longhaul-version.ts';
import { redact } from '../../src/redact.ts';
import { probe } from './probe.ts';

const usage = `npm run smoke -- [--destination NAME] [--purpose PURPOSE]
Creates two small Files at the service of OPENAI_BASE_URL and OPENAI_API_KEY (or of a destination of the config file),
prints which assumptions of docs/reliability.md are true there, and removes the Files. The default purpose is batch.`;

try {
  const { values } = parseArgs({
    options: { destination: { type: 'string' }, purpose: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) console.log(usage);
  else process.exitCode = await run(values.destination ?? 'default', values.purpose ?? 'batch');
} catch (error) {
  console.error(redact(`smoke: ${(error as Error).message}`));
  process.exitCode = 1;
}

async function run(name: string, purpose: string): Promise<number> {
  const profile = requireDestination(loadConfig(), name);
  const destination = createDestination(profile);
  try {
    const findings = await probe(destination, purpose);
    const { host } = new URL(profile.baseUrl);
    console.log(
      `Longhaul ${longhaulVersion()} and ${host}, purpose ${purpose}, ${new Date().toISOString().slice(0, 10)}\n`,
    );
    console.log('| assumption | found | verdict |\n| --- | --- | --- |');
    for (const { assumption, found, verdict } of findings) {
      console.log(redact(`| ${assumption} | ${found.replaceAll('|', '\\|')} | ${verdict} |`));
    }
    return findings.some(({ verdict }) => verdict === 'fault') ? 1 : 0;
  } finally {
    await destination.close();
  }
}
