export { startLocalApi, type LocalApi } from './server.ts';
export type { LocalApiOptions } from './options.ts';
export type { UploadStats } from './stats.ts';
