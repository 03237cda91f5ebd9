import { join } from 'node:path';
import type { PartFiles } from '../setup/part-files.ts';
import type { Temporal } from '../setup/temporal.ts';
import type { Contender } from './contender.ts';
import { curl } from './curl.ts';
import { openaiPython } from './openai-python.ts';
import { partLayer } from './part-layer.ts';
import { wholePath, type FileOfSize } from './whole-path.ts';

export type { Contender } from './contender.ts';

export interface ContenderNeeds {
  readonly directory: string;
  readonly partFiles: PartFiles;
  readonly fileOfSize: FileOfSize;
  readonly temporal: () => Promise<Temporal>;
}

export type ContenderName =
  | 'Longhaul, part layer'
  | 'Longhaul, end to end'
  | 'Longhaul, end to end, no MD5'
  | 'Longhaul, adaptive'
  | 'Longhaul, end to end, no MD5, metrics'
  | 'curl'
  | 'openai SDK, streaming'
  | 'openai SDK, Blob'
  | 'openai-python';

export type Contenders = Readonly<Record<ContenderName, Contender>>;

/** One line for each. */
export function createContenders({ directory, partFiles, fileOfSize, temporal }: ContenderNeeds): Contenders {
  return {
    'Longhaul, part layer': partLayer('longhaul'),
    'Longhaul, end to end': wholePath(temporal, fileOfSize, { md5: true }),
    'Longhaul, end to end, no MD5': wholePath(temporal, fileOfSize, { md5: false }),
    'Longhaul, adaptive': wholePath(temporal, fileOfSize, { md5: false, isAdaptive: true }),
    'Longhaul, end to end, no MD5, metrics': wholePath(temporal, fileOfSize, { md5: false, metrics: true }),
    curl: curl(partFiles, join(directory, 'curl.conf')),
    'openai SDK, streaming': partLayer('sdk-stream'),
    'openai SDK, Blob': partLayer('sdk-blob'),
    'openai-python': openaiPython(),
  };
}
