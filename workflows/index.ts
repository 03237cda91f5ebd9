export { syncSource } from './sync-source.ts';
export { uploadFile } from './upload-file.ts';
