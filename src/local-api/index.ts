export type { SettingsChange } from './admin.ts';
export { startLocalApi, type LocalApi } from './server.ts';
export { LocalApiDefaults, type LocalApiOptions, type LocalApiSettings } from './options.ts';
export type { Fault, FaultControl, FaultSpec } from './faults.ts';
export type { LocalApiStats, UploadStats } from './stats.ts';
