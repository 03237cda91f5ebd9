import { TextLimits } from '../../contracts/limits.ts';
import { isPlainObject } from '../payload.ts';
import { textUpTo, wholeNumber } from '../text/check.ts';

/** Whether a value has a shape. */
export type Is = (value: unknown) => boolean;
/** A check for each property. Others are ignored. */
export type Shape = Readonly<Record<string, Is>>;

export const isText: Is = (value) => textUpTo(TextLimits.fingerprint)(value) === undefined;
export const isFlag: Is = (value) => typeof value === 'boolean';
export const isCount: Is = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
/** Milliseconds or seconds since 1970, within what a `Date` can hold. */
export const isTime: Is = (value) => typeof value === 'number' && value >= 0 && value <= 8.64e15;
export const orNull =
  (is: Is): Is =>
  (value) =>
    value === null || is(value);
export const optional =
  (is: Is): Is =>
  (value) =>
    value === undefined || is(value);
export const shaped =
  (shape: Shape): Is =>
  (value) =>
    isPlainObject(value) && Object.entries(shape).every(([name, is]) => is(value[name]));
export const listOf =
  (is: Is, most: number): Is =>
  (value) =>
    Array.isArray(value) && value.length <= most && value.every(is);

export function isPositive(value: unknown): boolean {
  return isCount(value) && value !== 0;
}

export function isString(value: unknown): boolean {
  return typeof value === 'string';
}

export function isSeconds(value: unknown): boolean {
  return isTime(value) && (value as number) <= 8.64e12;
}

/** Whether an object has any names, and each of its values has the shape. */
export const recordOf =
  (is: Is, most: number): Is =>
  (value) => {
    if (!isPlainObject(value)) return false;
    const values = Object.values(value);
    return values.length <= most && values.every(is);
  };

export const whole =
  (least: number, most: number): Is =>
  (value) =>
    wholeNumber(least, most)(value) === undefined;

export const oneOf =
  (...values: readonly unknown[]): Is =>
  (value) =>
    values.includes(value);

/** Lower-case hex of this length. */
export const hex =
  (length: number): Is =>
  (value) =>
    typeof value === 'string' && value.length === length && /^[0-9a-f]*$/.test(value);

/** Milliseconds, possibly before 1970, as a file's modification time can be. */
export function isMoment(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value) <= 8.64e15;
}
