import { describe, expect, it } from 'vitest';
import { describeLogRecord } from '../../../../src/core/show/log-line.ts';

const time = Date.UTC(2026, 10, 23, 9, 8, 7);

describe('describeLogRecord', () => {
  it('shows the time, level, message and IDs in one line, without a stack', () => {
    const err = { message: 'the service\n  answered 503', stack: 'Error: at somewhere' };
    const ids = {
      workflowId: 'nightly',
      uploadId: 'upload_1',
      part: 7,
      attempt: 2,
      requestId: 'req_1',
      namespace: 'n',
    };
    expect(describeLogRecord({ level: 40, time, msg: 'Activity failed', err, ...ids })).toBe(
      '09:08:07 WARN  Activity failed: the service · answered 503 workflowId=nightly uploadId=upload_1 part=7 attempt=2 requestId=req_1',
    );
  });

  it('shows a custom level by its number, and a record without a message', () => {
    expect(describeLogRecord({ level: 35, time })).toBe('09:08:07 35    ');
  });
});
