export { requestBudget } from './request-budget.ts';
export { uploadFile } from './upload-file.ts';
export { uploadSplitFile } from './upload-split-file.ts';
