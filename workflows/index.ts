export { requestRate } from './request-rate.ts';
export { syncSource } from './sync-source.ts';
export { uploadFile } from './upload-file.ts';
export { uploadSplitFile } from './upload-split-file.ts';
