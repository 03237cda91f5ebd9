import { userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** Directories of this user for one program, as the platform defines them. */
export interface UserDirectories {
  readonly data: string;
  readonly config: string;
  readonly cache: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns the home directory of this user; undefined if neither HOME nor the system names one.
 *
 * @param ofSystem for tests
 */
export function homeDirectory(env: Environment, ofSystem = () => userInfo().homedir): string | undefined {
  const fromEnvironment = env['HOME'];
  if (fromEnvironment !== undefined && isAbsolute(fromEnvironment)) return fromEnvironment;
  try {
    const home = ofSystem();
    return isAbsolute(home) ? home : undefined;
  } catch {
    // A container may run as a user that its /etc/passwd doesn't have.
    return undefined;
  }
}

/** Returns the directories of Longhaul. A directory is undefined if its place depends on a home directory that is unknown. */
export function userDirectories(env: Environment, home = homeDirectory(env)): Partial<UserDirectories> {
  const name = 'longhaul';
  const inHome = (...names: string[]) => (home === undefined ? undefined : join(home, ...names, name));
  if (process.platform === 'darwin') {
    return definedOf({
      data: inHome('Library', 'Application Support'),
      config: inHome('Library', 'Preferences'),
      cache: inHome('Library', 'Caches'),
    });
  }
  const named = (variable: string) => {
    const directory = env[variable];
    return directory !== undefined && isAbsolute(directory) ? join(directory, name) : undefined;
  };
  return definedOf({
    data: named('XDG_DATA_HOME') ?? inHome('.local', 'share'),
    config: named('XDG_CONFIG_HOME') ?? inHome('.config'),
    cache: named('XDG_CACHE_HOME') ?? inHome('.cache'),
  });
}

function definedOf(directories: Record<keyof UserDirectories, string | undefined>): Partial<UserDirectories> {
  return Object.fromEntries(Object.entries(directories).filter(([, path]) => path !== undefined));
}
