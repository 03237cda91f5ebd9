import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openAiLimits } from '../../../src/contracts/limits.ts';
import {
  carriedRateProblems,
  carriedSplitProblems,
  carriedUploadProblems,
  handoverProblems,
} from '../../../src/core/shape/carried.ts';
import { MAX_MESSAGE_LENGTH, clip, clipMessage } from '../../../src/core/text/clip.ts';
import { formatTime } from '../../../src/core/show/details.ts';
import { inputProblem, Unreadable } from '../../../src/core/payload.ts';
import {
  generatedRuns,
  jsonText,
  mutated,
  strangeNumbers,
  strangeTexts,
  strangeValues,
} from '../../support/mutated.ts';
import {
  splitRequestProblems,
  syncRequestProblems,
  uploadRequestProblems,
} from '../../../src/contracts/requests/problems.ts';
import { fullSync, fullUpload } from '../../support/full-request.ts';
import { retuneProblems } from '../../../workflows/shell/control-problems.ts';

const settings = { partSizeBytes: 1_048_576, concurrency: 4, maxSessions: 2, giveUpAfterMs: 0, md5: true };
const upload = {
  source: { type: 'file', path: '/data/x.jsonl', host: 'a', range: { offsetBytes: 0, sizeBytes: 10 } },
  purpose: 'batch',
  filename: 'x.jsonl',
  mimeType: 'text/plain',
  destination: 'default',
  ...settings,
  limitBytesPerSecond: 0,
  expectedFingerprint: '10-1-1',
  fileExpiresAfterSeconds: 3600,
  transferTaskQueue: 'q',
  heartbeatTimeoutMs: 1000,
  priority: 3,
  fairnessKey: 'k',
  fairnessWeight: 1,
};
const s3 = { type: 's3', bucket: 'bucket', key: 'a/b', versionId: 'v', connection: 'default' };
const http = { type: 'http', url: 'https://example.com/a', sealedQuery: 'abc' };
const sync = {
  source: { type: 'folder', path: '/data', host: 'a' },
  purpose: 'batch',
  destination: 'default',
  prefix: 'p-',
  include: ['*.jsonl'],
  exclude: ['drafts/'],
  delete: true,
  maxFiles: 10,
  maxConcurrentUploads: 8,
  dryRun: false,
  upload: { ...settings, fileExpiresAfterSeconds: 3600 },
};
const bucket = { type: 's3', bucket: 'bucket', prefix: 'a/', connection: 'default' };
const carriedUpload = {
  source: {
    sizeBytes: 3_000_000,
    fingerprint: '3000000-1-1',
    hasAttributes: true,
    limits: openAiLimits,
    request: fullUpload({ source: { type: 'file', path: '/a' }, purpose: 'batch' }),
  },
  session: {
    info: { uploadId: 'upload_1', createdAt: 1_790_000_000, expiresAt: 1_790_003_600 },
    openedAtMs: 1_790_000_000_000,
    resent: false,
    sizeBytes: 3_000_000,
    partSizeBytes: 1_048_576,
    partIds: ['part_1', null, null],
  },
  partsSent: 1,
  paused: false,
  waiting: { reason: 'x', failureType: 'ApiRejected', status: 401, sinceMs: 1, nextProbeAtMs: 2 },
  startedAtMs: 1_790_000_000_000,
  sessionsOpened: 1,
  sessionsExcused: 0,
  orphanedSessions: 0,
  md5WasWrong: false,
  md5: null,
  hashCheckpoint: null,
  concurrency: 16,
};
const amount = { files: 1, bytes: 2 };
const problem = { path: 'a', failureType: 'SourceMissing', message: 'm' };
const handover = {
  memory: null,
  run: {
    request: fullSync({ source: { type: 'folder', path: '/a' }, purpose: 'batch' }),
    hasAttributes: false,
    limits: openAiLimits,
    planId: 'p',
    sentUpTo: null,
    uploadsDone: false,
    counts: {
      listed: amount,
      same: 0,
      knownContent: 0,
      toSend: amount,
      sent: amount,
      failed: 0,
      leftOut: 0,
      toDelete: 0,
      deleted: 0,
    },
    problems: [problem],
    leftOut: [problem],
    uploadsFailed: 0,
    paused: false,
    startedAtMs: 1,
  },
};

const { waiting } = carriedUpload;
const planned = { path: 'a', filename: 'a', sizeBytes: 1, fingerprint: 'f', version: 'v', key: 'k' };
const waitingHandover = {
  memory: null,
  run: {
    ...handover.run,
    waits: { lists: waiting, batches: waiting },
    planned: [planned],
    batches: [
      [
        {
          planned,
          session: carriedUpload.session.info,
          endsAtMs: 1,
          left: { inDoubt: 'response' },
          sessionsLeft: 1,
          wasRejected: false,
          settles: true,
          failure: { type: 'ApiRejected', message: 'm' },
        },
      ],
    ],
  },
};
const { request: _request, hasAttributes: _hasAttributes, limits: _limits, ...unlisted } = handover.run;
const carriedSplit = { waiting, settings: { concurrency: 2 }, paused: false, startedAtMs: 1 };

const RUNS = generatedRuns(150);

const subjects: Readonly<Record<string, readonly [correct: unknown, problems: (value: unknown) => readonly string[]]>> =
  {
    'an upload of a file': [upload, uploadRequestProblems],
    'an upload from S3': [{ ...upload, source: s3 }, uploadRequestProblems],
    'an upload from a URL': [{ ...upload, source: http }, uploadRequestProblems],
    'a split upload': [{ ...upload, pieceSizeBytes: 1000, again: false }, splitRequestProblems],
    'a sync of a folder': [sync, syncRequestProblems],
    'a sync of a bucket': [{ ...sync, source: bucket }, syncRequestProblems],
    'a retune': [{ concurrency: 2, partSizeBytes: 1_048_576, limitBytesPerSecond: 131_072 }, retuneProblems],
    'the state of a continued upload': [carriedUpload, carriedUploadProblems],
    'the state of a continued sync': [handover, handoverProblems],
    'the state of a continued sync that waits': [waitingHandover, handoverProblems],
    'the state of a continued sync without its lists': [{ run: { ...unlisted, isFirst: true } }, handoverProblems],
    'the state of a continued split upload': [carriedSplit, carriedSplitProblems],
    'the state of a continued request rate': [{ nextMs: 1 }, carriedRateProblems],
  };

describe('the check of requests', () => {
  it.each(Object.keys(subjects))('accepts a valid value: %s', (name) => {
    const [correct, problems] = subjects[name] as (typeof subjects)[string];
    expect(problems(correct)).toEqual([]);
  });

  it.each(Object.keys(subjects))('returns problems for any variation of %s, and never throws', (name) => {
    const [correct, problems] = subjects[name] as (typeof subjects)[string];
    fc.assert(
      fc.property(mutated(correct), (variation) => {
        // As a worker reads it: `__proto__` is a property then, and a number may be infinite.
        const found = problems(JSON.parse(jsonText(variation)));
        const message = clipMessage(found.join('; '));
        expect(found.every((each) => typeof each === 'string' && each !== '')).toBe(true);
        expect(message.length).toBeLessThanOrEqual(MAX_MESSAGE_LENGTH);
        expect(message).not.toMatch(/[\p{Cc}\p{Surrogate}]/u);
      }),
      { numRuns: RUNS },
    );
  });

  it('accepts only well-formed texts of limited length', () => {
    fc.assert(
      fc.property(strangeTexts, fc.constantFrom('purpose', 'filename', 'destination', 'fairnessKey'), (text, name) => {
        if (uploadRequestProblems({ ...upload, [name]: text }).length > 0) return;
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1024);
        expect(text).not.toMatch(/\p{Surrogate}/u);
      }),
      { numRuns: RUNS },
    );
  });

  it.each(['/_sys/queue/3', '__temporal_queue', 'a\nb', 'q'.repeat(1001), 'half \ud800'])(
    'rejects the task queue %j, which Temporal would reject in each command',
    (transferTaskQueue) => {
      expect(uploadRequestProblems({ ...upload, transferTaskQueue })).toHaveLength(1);
    },
  );

  it('reports the encoding of an unreadable request', () => {
    expect(inputProblem('an upload request', new Unreadable('binary/encrypted'))).toBe(
      'an upload request must be plain JSON, and its encoding is "binary/encrypted". Set LONGHAUL_ENCRYPTION_KEY_FILE on the workers',
    );
  });

  it('lists at most 20 problems', () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`extra${index}`, 1]));
    const problems = uploadRequestProblems({ ...upload, ...many });
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toBe('4980 more problems');
  });
});

describe('texts for messages', () => {
  it('have a maximum length, and contain no half of a character', () => {
    fc.assert(
      fc.property(strangeTexts, fc.integer({ min: 1, max: 100 }), (text, most) => {
        expect(clip(text, most).length).toBeLessThanOrEqual(most);
        expect(clip(text, most)).not.toMatch(/\p{Surrogate}/u);
      }),
    );
    expect(clip('a😀b', 3)).toBe('a\ufffd…');
  });

  it('show any time without an error', () => {
    fc.assert(fc.property(strangeNumbers, (ms) => formatTime(ms) !== ''));
    expect(formatTime(1e300)).toBe('an unknown time');
    expect(formatTime(NaN)).toBe('an unknown time');
  });
});

describe('generated values', () => {
  it('include infinite numbers, prototype names and very long texts', () => {
    const values = fc.sample(fc.oneof(mutated(upload), strangeValues), 3000).map((value) => jsonText(value));
    for (const needle of ['1e999', '"__proto__"', 'x'.repeat(1_000_000), '[{"a":[{"a"', '\\u0000', '\\ud800']) {
      expect(values.some((text) => text.includes(needle))).toBe(true);
    }
  });
});
