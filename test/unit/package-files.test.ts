import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

const source = fileURLToPath(new URL('../../src/package-files.ts', import.meta.url));

/** The file of a program that a bundler created from Longhaul's code. */
async function bundled(define: Record<string, string>): Promise<string> {
  const options = { bundle: true, platform: 'node', format: 'cjs', logLevel: 'silent', define } as const;
  const { outputFiles } = await build({ ...options, entryPoints: [source], outfile: 'program.cjs', write: false });
  return outputFiles[0]?.text ?? '';
}

describe('the files of the package', () => {
  it.each<[string, Record<string, string>]>([
    ['without a URL, as in the format of CommonJS', {}],
    ['in another directory', { 'import.meta.url': '"file:///srv/app/dist/program.mjs"' }],
  ])('cause an error with the fix if they are missing in bundled code %s', async (_case, define) => {
    const code = await bundled(define);
    const globals = { require: createRequire(import.meta.url), module: {}, exports: {}, process, URL };
    expect(() => runInNewContext(code, globals)).toThrow(
      'cannot find the files of the package "longhaul". If a bundler included Longhaul in another file, ' +
        'set "longhaul" and "@temporalio/*" as external packages',
    );
  });
});
