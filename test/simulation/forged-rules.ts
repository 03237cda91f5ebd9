import type { UploadResult } from '../../src/contracts/upload.ts';
import { commandProblems } from './command-limits.ts';
import type { Execution } from './execution.ts';
import type { Close } from './execution-world.ts';
import { forgedTypes } from './forged-ends.ts';
import { describeFailure, isReadable, valueOf } from './payloads.ts';
import type { ForgedEnd, Plan } from './plan.ts';
import type { Progress } from './rules.ts';
import type { Command, Failure } from './run.ts';
import type { Service } from './service.ts';

interface Excuse {
  readonly rules: readonly string[];
  /** @defaultValue all */
  readonly activities?: readonly string[];
  readonly ends?: readonly ForgedEnd['end'][];
  /** Text in the payload or failure. @defaultValue any */
  readonly text?: string;
}

/** Rules that a forged end can break although no workflow has an error. */
const excuses: readonly Excuse[] = [
  {
    // A failure with a final type ends an upload. In a sync, also that of the second run.
    rules: [
      'an upload without faults completes',
      'a sync without faults completes',
      'a sync without faults sends all',
      'the next run sends the rest',
    ],
  },
  {
    // The type, or the retry period of the first activity, is that of the other client.
    rules: [
      'valid content is accepted',
      'an uncertain completion has a cause',
      'a session that is lost while the upload waits does not count',
      'an outage that is shorter than the retry period is survived',
      'a new session is opened if it can help',
    ],
    ends: ['failure'],
  },
  { rules: ['a split upload that fails names its pieces'], activities: ['planSplit'], ends: ['failure'] },
  { rules: ['the result counts the orphaned sessions'], activities: ['createUpload'], ends: ['failure'] },
  // The request is that of the other client.
  {
    rules: [
      'the result has the MD5 of the File',
      'the result has the SHA-256 of the File',
      'a File has all bytes',
      // Rules find it by its name.
      'the result names the File',
    ],
    activities: ['inspectSource', 'planSplit', 'planSync'],
    ends: ['mutated', 'other'],
  },
  // The other client reports that the service did no work.
  {
    rules: ['at most one File exists', 'a File that the list shows is found'],
    activities: ['completeUpload'],
    ends: ['failure'],
    text: 'notDone',
  },
  // The ID of a part that the service does not have.
  { rules: ['a new session is opened if it can help'], activities: ['uploadPart'], ends: ['mutated'] },
  // A File that the service does not have, with the size of the source. `ForgedRules` checks it.
  {
    rules: [
      'the result names the File',
      'the Files of a split upload are in the order of the source',
      'the numbers of a sync agree with the service',
    ],
    activities: ['completeUpload', 'cancelUpload'],
  },
  { rules: ['the numbers of a sync add up'], activities: ['deleteFile'] },
  // Files that the service does not have, or lists that are not those of the source.
  {
    rules: [
      'each file that stays is sent or reported',
      'each planned file is sent or reported',
      'the numbers of a sync agree with the service',
      'the numbers of a sync add up',
      'no second File exists',
      'at most one File exists',
      'the result counts the orphaned sessions',
    ],
    activities: ['planSync', 'sendBatch', 'packSyncMemory', 'recallSync'],
    ends: ['mutated', 'other', 'timeout'],
  },
];

/** Any failure of these can be temporary, and ends no sync within its retry period. */
const ofMemory = ['recallSync', 'packSyncMemory', 'recordSync'];

/** What must hold for a workflow whose activities another client ends. */
export class ForgedRules {
  readonly #plan: Plan;
  readonly #service: Service;
  readonly #violation: (rule: string, text: string) => void;
  /** Of the ends so far. */
  readonly #forged: string[] = [];

  constructor(plan: Plan, service: Service, violation: (rule: string, text: string) => void) {
    this.#plan = plan;
    this.#service = service;
    this.#violation = violation;
  }

  /** @param end its payload or failure, as JSON */
  forged(end: string): void {
    this.#forged.push(end);
  }

  /** Whether a forged end can break a rule without an error of a workflow. */
  excuse(rule: string): boolean {
    const { forgedEnds = [] } = this.#plan;
    return excuses.some(({ rules, activities, ends, text }) => {
      const isIt = ({ activity, end }: ForgedEnd) =>
        (activities?.includes(activity) ?? true) && (ends?.includes(end) ?? true);
      const isSeen = text === undefined || this.#forged.some((forged) => forged.includes(text));
      return rules.includes(rule) && isSeen && forgedEnds.some(isIt);
    });
  }

  commanded(command: Command): void {
    if (!this.#plan.forgedEnds) return;
    for (const { rule, text } of commandProblems(command)) this.#violation(rule, text);
  }

  /** @param progress of a workflow that is open long after a forged end */
  open({ state, waiting }: Progress): void {
    if (state !== 'waiting' || !waiting?.reason)
      this.#violation('a workflow that does not end waits, with a reason', `${state}: ${waiting?.reason}`);
  }

  closed({ start }: Execution, close: Close): void {
    if (!this.#plan.forgedEnds) return;
    if (close.status === 'failed' && !isKnown(close.failure))
      this.#violation('a failure has a known type', describeFailure(close.failure));
    const { forgedEnds } = this.#plan;
    const isOfMemory = forgedEnds.every(({ activity }) => ofMemory.includes(activity));
    if (close.status === 'failed' && start.workflowType === 'syncSource' && isOfMemory)
      this.#violation('a sync waits for its memory', describeFailure(close.failure));
    if (close.status === 'failed' && !isReadable(close.failure))
      this.#violation('a client can read a failure', start.workflowId);
    if (close.status !== 'completed' || start.workflowType !== 'uploadFile') return;
    const { file, bytes } = valueOf(close.result) as UploadResult;
    if (typeof file?.id !== 'string') {
      this.#violation('the result is a File of the service', typeof file);
      return;
    }
    const isOfService = this.#service.files.has(file.id) || this.#service.deleted.some(({ id }) => id === file.id);
    // A workflow cannot recognise a File that another client names with the correct size.
    const text = JSON.stringify(JSON.stringify(file.id)).slice(1, -1);
    const isNamed = this.#forged.some((end) => end.includes(text));
    if (!isOfService && !isNamed) this.#violation('the result is a File of the service', file.id);
    if (file.bytes !== bytes) this.#violation('the File has the size of the source', `${file.bytes} of ${bytes} bytes`);
  }
}

/** Of Longhaul, of failures of other kinds in the SDK, and of the other client. */
const known: readonly string[] = [
  ...forgedTypes,
  'Unknown',
  'TemporalFailure',
  'ServerFailure',
  'TerminatedFailure',
  'ResetWorkflow',
];

function isKnown({ applicationFailureInfo }: Failure): boolean {
  const { type } = applicationFailureInfo ?? {};
  return type ? known.includes(type) : false;
}
