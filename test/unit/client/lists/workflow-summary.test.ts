import { describe, expect, it } from 'vitest';
import { withoutPieces, type WorkflowSummary } from '../../../../src/client/lists/list-uploads.ts';

function found(workflowId: string, type: string, parentId?: string): WorkflowSummary {
  return { workflowId, type, parentId } as WorkflowSummary;
}

describe('uploads without pieces', () => {
  it('omits only the pieces of split uploads in the list', () => {
    const all = [
      found('split', 'uploadSplitFile'),
      found('split-1', 'uploadFile', 'split'),
      found('other-1', 'uploadFile', 'other'),
      found('of-sync', 'uploadFile', 'sync'),
      found('sync', 'syncSource'),
      found('alone', 'uploadFile'),
    ];
    const ids = withoutPieces(all).map(({ workflowId }) => workflowId);
    expect(ids).toEqual(['split', 'other-1', 'of-sync', 'sync', 'alone']);
  });
});
