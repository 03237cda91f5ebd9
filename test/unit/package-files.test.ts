import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { build, type Format } from 'esbuild';
import { describe, expect, it } from 'vitest';

const source = fileURLToPath(new URL('../../src/package-files.ts', import.meta.url));

/** The file of a program that a bundler created from Longhaul's code. */
async function bundled(format: Format, url: string): Promise<string> {
  const define = format === 'esm' ? { 'import.meta.url': JSON.stringify(url) } : {};
  const options = { bundle: true, write: false, platform: 'node', logLevel: 'silent', define } as const;
  const { outputFiles } = await build({ ...options, entryPoints: [source], format: 'cjs', outfile: 'program.cjs' });
  return outputFiles[0]?.text ?? '';
}

describe('the files of the package', () => {
  // Bundles in the format of CommonJS have no URL, and bundles elsewhere have another one.
  it.each<[Format, string]>([
    ['cjs', ''],
    ['esm', 'file:///srv/app/dist/program.mjs'],
  ])('are missing in a program that contains the code (%s), with the fix', async (format, url) => {
    const code = await bundled(format, url);
    const globals = { require: createRequire(import.meta.url), module: {}, exports: {}, process, URL };
    const run = () => runInNewContext(code, globals);
    expect(run).toThrow(
      'cannot find the files of the package "longhaul". If a bundler included Longhaul in another file, ' +
        'set "longhaul" and "@temporalio/*" as external packages',
    );
  });
});
