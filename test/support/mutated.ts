import fc from 'fast-check';

/** Characters that break terminals, logs, headers, paths or UTF-8. */
const strangeCharacters = [
  '\0',
  '\u001b[2J',
  '\r\n',
  '\u0085',
  '\u202e',
  '\u2066',
  '\ud800',
  '\udfff',
  '\ufeff',
  '`',
  '<',
];

/** Of all characters of Unicode, as `unit: 'binary'`, for which fast-check would first list all of them (0.8 s). */
export const anyText: fc.Arbitrary<string> = fc.string({
  unit: fc.integer({ min: 0, max: 0x10f7ff }).map((code) => String.fromCodePoint(code < 0xd800 ? code : code + 0x800)),
});

/** Made once: a generated value only points to them. */
const hugeTexts = ['x'.repeat(1_000_000), '<'.repeat(65_536), '9'.repeat(400), 'é'.repeat(2000), '{"a":'.repeat(5000)];

export const strangeTexts: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('', ' ', '.', '..', '../../etc/passwd', '/', '\\', 'soon', 'NaN', 'null', '-1', '1e300', '0x10', '١'),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'W/"weak"',
    '2026-13-45T99:99:99Z',
    '+275760-09-13T00:00:00.001Z',
  ),
  fc.tuple(fc.string(), fc.constantFrom(...strangeCharacters), fc.string()).map((pieces) => pieces.join('')),
  anyText,
  fc.constantFrom(...hugeTexts),
);

/** Those that JSON can't carry are written by `jsonText` as numbers that parse to them. */
export const strangeNumbers: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, -0, -1, 0.5, -0.1, 1e300, -1e300, 5e-324, Infinity, -Infinity),
  fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 53, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 8.64e15, 8.64e15 + 1),
  fc.double({ noNaN: true }),
  fc.integer(),
);

const nested = (depth: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
};

const deep = nested(500);

/** A value of any type that JSON knows. */
export const strangeValues: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: fc.constantFrom<unknown>(null, true, false, [], {}, [null], [[]], deep), weight: 3 },
  { arbitrary: strangeTexts, weight: 3 },
  { arbitrary: strangeNumbers, weight: 3 },
  { arbitrary: fc.jsonValue({ maxDepth: 2 }), weight: 1 },
);

const extraNames = [
  '__proto__',
  'constructor',
  'toString',
  'toJSON',
  'then',
  'length',
  'extra',
  '\u0000',
  'x'.repeat(70_000),
];

type Path = readonly (string | number)[];

type Mutation =
  | { readonly kind: 'missing' }
  | { readonly kind: 'wrapped' }
  | { readonly kind: 'repeated' }
  | { readonly kind: 'replaced'; readonly value: unknown }
  | { readonly kind: 'added'; readonly name: string; readonly value: unknown };

const mutations: fc.Arbitrary<Mutation> = fc.oneof(
  { arbitrary: fc.constant<Mutation>({ kind: 'missing' }), weight: 2 },
  { arbitrary: strangeValues.map((value): Mutation => ({ kind: 'replaced', value })), weight: 6 },
  { arbitrary: fc.constant<Mutation>({ kind: 'wrapped' }), weight: 1 },
  { arbitrary: fc.constant<Mutation>({ kind: 'repeated' }), weight: 1 },
  {
    arbitrary: fc.record({
      kind: fc.constant('added' as const),
      name: fc.constantFrom(...extraNames),
      value: strangeValues,
    }),
    weight: 2,
  },
);

/**
 * Values that begin as `correct` and then have one to three places made missing, null, of another type, huge, negative,
 * nested, or with strange characters. Each value is new, and the correct one stays as it is.
 */
export function mutated(correct: unknown): fc.Arbitrary<unknown> {
  const paths = pathsOf(correct);
  const steps = fc.array(fc.tuple(fc.constantFrom(...paths), mutations), { minLength: 1, maxLength: 3 });
  return steps.map((drawn) => drawn.reduce((value, [path, mutation]) => mutateAt(value, path, mutation), correct));
}

/** JSON of a value in which a number may be infinite: it is written as one that parses to infinity. */
export function jsonText(value: unknown): string {
  const mark = '\ue000infinity\ue000';
  const text = JSON.stringify(value, (_, content: unknown) =>
    content === Infinity ? mark : content === -Infinity ? `-${mark}` : content,
  );
  return (text ?? 'null').replaceAll(`"${mark}"`, '1e999').replaceAll(`"-${mark}"`, '-1e999');
}

/** How often generated tests run: more on demand, as `LONGHAUL_GENERATED_RUNS=100000`. */
export function generatedRuns(usual: number): number {
  return Number(process.env['LONGHAUL_GENERATED_RUNS'] ?? usual);
}

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, content]) => pathsOf(content, [...path, keyOf(value, key)]))];
}

function keyOf(container: object, key: string): string | number {
  return Array.isArray(container) ? Number(key) : key;
}

/** What an earlier mutation has taken away stays away. */
function mutateAt(value: unknown, path: Path, mutation: Mutation): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return mutate(value, mutation);
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, first)) return value;
  const content = (value as Record<string | number, unknown>)[first];
  const changed = mutateAt(content, rest, mutation);
  if (Array.isArray(value)) return value.flatMap((each, index) => (index !== first ? [each] : kept(changed)));
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) =>
      key !== first ? [[key, each]] : kept(changed).map((is) => [key, is]),
    ),
  );
}

function kept(value: unknown): readonly unknown[] {
  return value === undefined ? [] : [value];
}

function mutate(value: unknown, mutation: Mutation): unknown {
  if (mutation.kind === 'missing') return undefined;
  if (mutation.kind === 'wrapped') return [value];
  if (mutation.kind === 'repeated')
    return Array.isArray(value) ? Array.from({ length: 50 }, () => value).flat() : [value, value];
  if (mutation.kind === 'replaced') return mutation.value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return mutation.value;
  // A definition, as an assignment to `__proto__` sets no property.
  return Object.defineProperty({ ...value }, mutation.name, {
    value: mutation.value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
