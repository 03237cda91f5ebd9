import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { bundledProgram } from '../../support/bundled-program.ts';

/** In a separate process, because the processes of the tests have loaded the SDK. */
const program = `
  import { createRequire } from 'node:module';
  import { lightenSdk } from './src/cli/lighter-sdk.ts';

  lightenSdk();
  const require = createRequire(import.meta.resolve('@temporalio/worker'));
  const isLoaded = (name) => Object.keys(require.cache).some((path) => path.includes(name));
  // Commands without a worker load no more than this.
  const atStart = isLoaded('protobufjs');
  const { bundleWorkflowCode } = require('@temporalio/worker');
  const before = isLoaded('@jsonjoy.com');
  const { temporal, coresdk } = require('@temporalio/proto');
  const { Volume, createFsFromVolume } = require('memfs');
  const files = createFsFromVolume(Volume.fromJSON({ '/a': 'content' }));
  console.log(JSON.stringify({
    atStart,
    canBundle: typeof bundleWorkflowCode,
    before,
    after: isLoaded('@jsonjoy.com'),
    read: files.readFileSync('/a', 'utf8'),
    messages: [temporal.api.workflowservice.v1.WorkflowService, coresdk.workflow_activation.WorkflowActivation].map(
      (one) => typeof one,
    ),
    cloud: typeof temporal.api.cloud,
  }));
`;

it("loads the file system of the SDK's bundler at its first use, and never the Temporal Cloud messages", async () => {
  const args = ['--input-type=module', '--eval', await bundledProgram(program)];
  expect(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))).toEqual({
    atStart: false,
    canBundle: 'function',
    before: false,
    after: true,
    read: 'content',
    messages: ['object', 'object'],
    cloud: 'undefined',
  });
});
