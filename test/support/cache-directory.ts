import { userDirectories } from '../../src/config/paths.ts';

/** The cache of the user who runs the tests, so that programs are fetched only once. */
export const cacheDirectory = userDirectories(process.env).cache ?? '';
