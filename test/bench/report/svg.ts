/** Elements of SVG charts. Users with colour vision deficiency can distinguish the colours. */
export const palette = [
  '#0072b2',
  '#e69f00',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#d55e00',
  '#7f7f7f',
  '#332288',
] as const;

export function colour(index: number): string {
  return palette[index % palette.length] ?? palette[0];
}

export interface TextOptions {
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly size?: number;
  readonly weight?: 'bold';
}

export function text(x: number, y: number, content: string, options: TextOptions = {}): string {
  const { anchor = 'start', size = 12, weight } = options;
  const bold = weight ? ` font-weight="${weight}"` : '';
  return `<text x="${round(x)}" y="${round(y)}" font-size="${size}" text-anchor="${anchor}"${bold}>${escape(content)}</text>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, stroke: string, width = 1): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${stroke}" stroke-width="${width}"/>`;
}

export function rectangle(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${fill}"/>`;
}

/** White below, so that it can be read on a dark page too. */
export function picture(width: number, height: number, title: string, pieces: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
      `font-family="system-ui, sans-serif" fill="#222" role="img" aria-label="${escape(title)}">`,
    rectangle(0, 0, width, height, '#fff'),
    text(16, 24, title, { size: 15, weight: 'bold' }),
    ...pieces,
    '</svg>',
    '',
  ].join('\n');
}

/** About five round numbers from 0 to beyond `most`. */
export function ticksTo(most: number): readonly number[] {
  const rough = (most > 0 ? most : 1) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, index) => index * step);
}

export function formatTick(value: number): string {
  return Number(value.toPrecision(6)).toLocaleString('en-US');
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
