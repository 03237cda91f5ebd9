import { DefaultLogger, Runtime } from '@temporalio/worker';

let isInstalled = false;

/** Once a process, which test files share. Failing attempts are what many tests are about; they need no lines. */
export function installQuietRuntime(): void {
  if (isInstalled) return;
  isInstalled = true;
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
}
