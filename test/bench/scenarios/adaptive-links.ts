import type { Link } from '../setup/link.ts';

const gbit = (value: number) => (value * 1e9) / 8;

/** Of very different bandwidth and delay. */
export const links: readonly Link[] = [
  { name: '100 Mbit/s, 20 ms', bytesPerSecond: gbit(0.1), roundTripMs: 20 },
  { name: '1 Gbit/s, 5 ms', bytesPerSecond: gbit(1), roundTripMs: 5 },
  { name: '1 Gbit/s, 200 ms', bytesPerSecond: gbit(1), roundTripMs: 200 },
  { name: '4 Gbit/s, 100 ms', bytesPerSecond: gbit(4), roundTripMs: 100 },
];

/** Names of the links in the figures. */
export const ADAPTIVE_LINKS = links.map(({ name }) => name);
