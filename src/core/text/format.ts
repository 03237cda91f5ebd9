const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Returns bytes for users, in binary units with at most three digits: `64 MiB`, `1.46 GiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${Number(value.toFixed(unit === 0 ? 0 : digits))} ${units[unit]}`;
}

/** A size as the value of an option: `64MiB`. */
export function optionBytes(bytes: number): string {
  return formatBytes(bytes).replace(' ', '');
}

/** `1 file`, `2 files`. */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Returns a span of time for users: `850 ms`, `12 s`, `3 min 05 s`, `5 min`, `2 h 10 min`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return withRest(`${minutes} min`, seconds % 60, 's');
  return withRest(`${Math.floor(minutes / 60)} h`, minutes % 60, 'min');
}

function withRest(text: string, rest: number, unit: string): string {
  return rest === 0 ? text : `${text} ${String(rest).padStart(2, '0')} ${unit}`;
}
