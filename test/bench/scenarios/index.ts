import { adaptive } from './adaptive.ts';
import { contentCheck } from './content-check.ts';
import { coldSource } from './cold-source.ts';
import { fileSize } from './file-size.ts';
import { firstAndLastByte } from './first-and-last-byte.ts';
import { inFlight } from './in-flight.ts';
import { largeFile } from './large-file.ts';
import { limits } from './limits.ts';
import { links } from './links.ts';
import { loopback } from './loopback.ts';
import { manyUploads } from './many-uploads.ts';
import { manifest } from './manifest.ts';
import { metrics } from './metrics.ts';
import { partSize } from './part-size.ts';
import type { Scenario } from './scenario.ts';
import { smallFiles } from './small-files.ts';
import { syncs } from './syncs.ts';
import { tls } from './tls.ts';

/** In the order in which they run. */
export const scenarios: readonly Scenario[] = [
  loopback,
  tls,
  inFlight,
  partSize,
  largeFile,
  links,
  adaptive,
  limits,
  firstAndLastByte,
  smallFiles,
  syncs,
  manifest,
  fileSize,
  manyUploads,
  coldSource,
  contentCheck,
  metrics,
];
