import type { IncomingMessage } from 'node:http';
import * as z from 'zod';
import type { Reply } from './api-context.ts';
import { ApiProblem, notFound, validate } from './errors.ts';
import { faultSpecSchema, type Faults } from './faults.ts';
import type { LocalApiSettings } from './options.ts';
import { readJson } from './read-body.ts';
import type { LocalApiStats } from './stats.ts';
import { toUploadObject } from './upload-record.ts';
import type { UploadStore } from './upload-store.ts';

/** State that the routes below `/_admin/` and the handle in code change. */
export interface AdminControl {
  readonly faults: Faults;
  readonly store: UploadStore;
  stats(): LocalApiStats;
  settings(): LocalApiSettings;
  configure(changes: SettingsChange): LocalApiSettings;
}

export const settingsSchema = z.strictObject({
  /** Null: no limit. */
  bandwidthBytesPerSecond: z.number().positive().nullable().optional(),
  latencyMs: z.number().min(0).optional(),
  listLagMs: z.number().min(0).optional(),
  listLagRequests: z.int().min(0).optional(),
  sessionLifeSeconds: z.int().positive().optional(),
});

export type SettingsChange = z.input<typeof settingsSchema>;

/**
 * `POST|GET|DELETE /_admin/faults`, `GET /_admin/stats`, `GET|PATCH /_admin/settings`,
 * `POST /_admin/uploads/{id}/expire`. They require the same host and key as the API.
 */
export async function handleAdmin(
  admin: AdminControl,
  method: string,
  path: string,
  message: IncomingMessage,
): Promise<Reply> {
  const expiring = /^\/_admin\/uploads\/([^/]+)\/expire$/.exec(path);
  const route = expiring === null ? path : '/_admin/uploads/{id}/expire';
  switch (`${method} ${route}`) {
    case 'POST /_admin/faults':
      return { status: 200, json: admin.faults.add(validate(faultSpecSchema, await readJson(message))) };
    case 'GET /_admin/faults':
      return { status: 200, json: { faults: admin.faults.list() } };
    case 'DELETE /_admin/faults':
      admin.faults.clear();
      return { status: 200, json: { faults: [] } };
    case 'GET /_admin/stats':
      return { status: 200, json: admin.stats() };
    case 'GET /_admin/settings':
      return { status: 200, json: admin.settings() };
    case 'PATCH /_admin/settings':
      return { status: 200, json: admin.configure(validate(settingsSchema, await readJson(message))) };
    case 'POST /_admin/uploads/{id}/expire': {
      const upload = admin.store.pending(expiring?.[1] ?? '');
      return { status: 200, json: toUploadObject(await admin.store.end(upload, 'expired')) };
    }
  }
  const known = ['/_admin/faults', '/_admin/stats', '/_admin/settings', '/_admin/uploads/{id}/expire'];
  if (known.includes(route))
    throw new ApiProblem(405, `${method} is not for ${route}.`, { code: 'method_not_allowed' });
  throw notFound(`No such route: ${method} ${path}.`);
}
