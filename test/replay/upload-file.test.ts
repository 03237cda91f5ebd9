import { readdirSync, readFileSync } from 'node:fs';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { tracedWorkflowBundlePath, workflowBundlePath } from 'longhaul/worker';
import * as workflows from 'longhaul/workflows';
import { describe, expect, it } from 'vitest';

Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR' } } });

const directory = new URL('./histories/', import.meta.url);
const files = readdirSync(directory).filter((file) => file.endsWith('.json'));

interface StartedAttributes {
  workflowType: { name: string };
  workflowId: string;
}

interface RecordedHistory {
  events: { eventType: string; workflowExecutionStartedEventAttributes?: StartedAttributes }[];
}

const UPSERTED = 'EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES';

function read(file: string): RecordedHistory {
  return JSON.parse(readFileSync(new URL(file, directory), 'utf8')) as RecordedHistory;
}

/** Replays send no traces. Without this sink, the worker logs an error for each span. */
const noTraces = { exporter: { export: { fn: () => {}, callDuringReplay: false } } };

function replay(history: RecordedHistory, codePath = workflowBundlePath): Promise<void> {
  // Ids of children are derived from it.
  const workflowId = history.events[0]?.workflowExecutionStartedEventAttributes?.workflowId;
  return Worker.runReplayHistory({ workflowBundle: { codePath }, sinks: noTraces }, history, workflowId);
}

it('the workflow bundle contains no request schemas', () => {
  for (const path of [workflowBundlePath, tracedWorkflowBundlePath]) {
    const bundle = readFileSync(path, 'utf8');
    expect(bundle).toContain('uploadSplitFile');
    expect(bundle).not.toMatch(/node_modules\/zod|ZodType|contracts\/requests/);
  }
});

describe('a recorded history', () => {
  it.each(files)('%s replays on the current code', (file) => replay(read(file)));

  it.each(files)('%s replays with tracing', (file) => replay(read(file), tracedWorkflowBundlePath));

  it('is rejected if the code schedules another activity', async () => {
    const history = read('straight.json');
    const firstActivity = history.events.find(({ eventType }) => eventType === 'EVENT_TYPE_ACTIVITY_TASK_SCHEDULED');
    Object.assign(
      firstActivity ?? {},
      JSON.parse(JSON.stringify(firstActivity).replaceAll('inspectSource', 'hashSource')),
    );
    await expect(replay(history)).rejects.toThrow(/[Nn]ondeterminism/);
  });

  it('exists for each workflow with search attributes, and for uploadFile without', () => {
    const recorded = (isShown: boolean) =>
      files
        .map(read)
        .filter(({ events }) => isShown === events.some(({ eventType }) => eventType === UPSERTED))
        .map(({ events }) => events[0]?.workflowExecutionStartedEventAttributes?.workflowType.name);
    expect(new Set(recorded(true))).toEqual(new Set(['uploadFile', 'uploadSplitFile', 'syncSource']));
    expect(recorded(false)).toContain('uploadFile');
  });

  it('exists for each workflow, and for an interrupted upload', () => {
    const recorded = files.map(
      (file) => read(file).events[0]?.workflowExecutionStartedEventAttributes?.workflowType.name,
    );
    expect(new Set(recorded)).toEqual(new Set(Object.keys(workflows).filter((name) => !name.endsWith('Query'))));
    const attempts = JSON.stringify(read('interrupted.json')).match(/"attempt":\s*2/g) ?? [];
    expect(attempts.length).toBeGreaterThan(0);
  });
});
