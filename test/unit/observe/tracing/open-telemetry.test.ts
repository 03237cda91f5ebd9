import { expect, it } from 'vitest';
import { loadOpenTelemetry } from '../../../../src/observe/tracing/open-telemetry.ts';

it('names the packages to install if traces are requested and a package is missing', async () => {
  const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
  await expect(loadOpenTelemetry(() => Promise.reject(missing))).rejects.toThrow(
    /OTEL_… variables request traces.* Run "npm install @opentelemetry\/api@1\.9 .*@temporalio\/interceptors-opentelemetry@1\.\d+"\.$/,
  );
  const broken = new Error('a package is broken');
  await expect(loadOpenTelemetry(() => Promise.reject(broken))).rejects.toBe(broken);
});
