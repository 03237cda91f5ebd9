import { DefaultLogger, Runtime } from '@temporalio/worker';

// Once a process, which test files share. Failing attempts are what many tests are about; they need no lines.
Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
