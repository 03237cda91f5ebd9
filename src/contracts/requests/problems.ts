import type { z } from 'zod';
import { isPlainObject } from '../../core/payload.ts';
import { quoted } from '../../core/text/clip.ts';
import type { ScheduleSettings } from '../schedule.ts';
import { issueText } from './issue-text.ts';
import { scheduleSettings } from './schedule.ts';
import { syncRequest } from './sync.ts';
import { splitRequest, uploadRequest } from './upload.ts';

/** Maximum number of listed problems: a request can have a hundred thousand unknown properties. */
const MAX_PROBLEMS = 20;

/** A valid request with its defaults, or all of its problems as texts. */
export type Checked<Full> =
  | { readonly problems: readonly []; readonly full: Full }
  | { readonly problems: readonly string[]; readonly full?: never };

/** Checks a request of any form. It never throws. */
export function checkRequest<Schema extends z.ZodType>(schema: Schema, value: unknown): Checked<z.output<Schema>> {
  const parsed = schema.safeParse(withoutUndefined(value), { error: issueText });
  if (parsed.success) return { problems: [], full: parsed.data };
  const problems = problemLines(parsed.error.issues, value);
  const more = problems.length - MAX_PROBLEMS;
  return { problems: more > 0 ? [...problems.slice(0, MAX_PROBLEMS), `${more} more problems`] : problems };
}

/** Every problem of an upload request as text; none for a valid request. */
export const uploadRequestProblems = (value: unknown): string[] => [...checkRequest(uploadRequest, value).problems];

/** Every problem of a request for a split upload as text; none for a valid request. */
export const splitRequestProblems = (value: unknown): string[] => [...checkRequest(splitRequest, value).problems];

/** Every problem of a sync request as text; none for a valid request. */
export const syncRequestProblems = (value: unknown): string[] => [...checkRequest(syncRequest, value).problems];

/**
 * Every problem of the settings of a schedule as text; none for valid settings.
 *
 * @param isWhole whether the schedule has no other settings, so that these must contain its times
 */
export function scheduleSettingsProblems(settings: ScheduleSettings, isWhole: boolean): string[] {
  const { cron, everyMs } = settings;
  const isTimed = !isWhole || Boolean(cron?.length) || everyMs !== undefined;
  const problems = [...checkRequest(scheduleSettings, settings).problems];
  return isTimed ? problems : ['a cron expression or an interval is required: set "cron" or "everyMs"', ...problems];
}

/** In a program, a property that is undefined is not set. Bytes of a payload are not an object. */
function withoutUndefined(value: unknown): unknown {
  if (!isPlainObject(value)) return ArrayBuffer.isView(value) ? null : value;
  return Object.fromEntries(Object.entries(value).filter(([, content]) => content !== undefined));
}

/** One line for each property: first the missing properties, then the others in the order of the request. */
function problemLines(issues: readonly z.core.$ZodIssue[], value: unknown): string[] {
  const fields = isPlainObject(value) ? value : {};
  const has = (key: string) => Object.hasOwn(fields, key) && fields[key] !== undefined;
  const whole: string[] = [];
  const missing = new Set<string>();
  const messages = new Map<string, Map<string, string>>();
  const above = new Set<string>();
  for (const issue of issues) {
    const [key] = issue.path.map(String);
    const { text, up } = placed(issue.message);
    if (up > 0 && up >= issue.path.length) {
      above.add(text);
      continue;
    }
    if (key !== undefined && !has(key)) missing.add(`${quoted(key)} is missing`);
    else if (key !== undefined) {
      const ofKey = messages.get(key) ?? new Map<string, string>();
      messages.set(key, ofKey);
      const rest = issue.path.slice(1).map(String);
      for (const [place, message] of messagesOf(issue, rest)) {
        // The first problem of a value is the most general one. An object is checked as a whole once its fields are valid.
        if (![...ofKey.keys()].some((known) => known.startsWith(place))) ofKey.set(place, message);
      }
    } else if (issue.code === 'unrecognized_keys') {
      for (const name of issue.keys) messages.set(name, new Map([['', issue.message]]));
    } else whole.push(issue.message);
  }
  const places = new Map(Object.keys(fields).map((name, index) => [name, index]));
  const lines = [...messages]
    .toSorted(([one], [other]) => (places.get(one) ?? 0) - (places.get(other) ?? 0))
    .map(([key, ofKey]) => `${quoted(key)} ${[...new Set(ofKey.values())].join(', ')}`);
  return missing.size + above.size + lines.length > 0 ? [...missing, ...above, ...lines] : whole;
}

/** The messages of an issue within a property, by place: `"host" must be …`. Each `../` moves a message up. */
function messagesOf(issue: z.core.$ZodIssue, path: readonly string[]): readonly (readonly [string, string])[] {
  const { text, up } = placed(issue.message);
  const names = path.slice(0, Math.max(path.length - up, 0)).map(quoted);
  const place = path.map((name) => `${name}/`).join('');
  if (issue.code !== 'unrecognized_keys') return [[place, [...names, text].join(' ')]];
  if (!text.startsWith('is not')) return [[`${place}${issue.keys[0]}/`, [...names, text].join(' ')]];
  return issue.keys.map((key) => [`${place}${key}/`, [...names, quoted(key), text].join(' ')]);
}

/** A message without its `../`, and their number. */
function placed(message: string): { readonly text: string; readonly up: number } {
  const text = message.replace(/^(\.\.\/)+/, '');
  return { text, up: (message.length - text.length) / '../'.length };
}
