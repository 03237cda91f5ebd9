import { userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { loadClientConfig } from '@temporalio/envconfig';
import type { ProtectedPaths } from '../sources/file/protected-paths.ts';

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

export interface ProtectedPlaces {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Undefined without a home directory: then no command has written anything. */
  readonly stateDir: string | undefined;
  /** Whether it exists or not. */
  readonly configPath: string | undefined;
  /** The config file's content, as far as it could be read. */
  readonly config: unknown;
}

/** Variables with paths of files that hold or lead to secrets. Not just any `_FILE`: `INPUT_FILE` may be what is uploaded. */
const FILE_VARIABLE =
  /^(OPENAI|LONGHAUL|TEMPORAL|AWS)_.*_(FILE|PATH)$|(KEY|TOKEN|SECRET|CREDENTIALS?|PASSWORD).*_(FILE|PATH)$|_CREDENTIALS$|^KUBECONFIG$/;

/** Properties of the config file that name a variable, which may have the path of a file under its name with `_FILE`. */
const VARIABLE_PROPERTY = /(Env|^env)$/;

/** Properties with paths, such as `apiKeyFile` in the config file and `clientKey.path` in Temporal's. */
const FILE_PROPERTY = /(File|Path|^path|^file)$/;

/** Folders in which the SDKs of AWS and Temporal store credentials. */
const HOME_FOLDERS = ['.aws', '.config/temporalio', 'Library/Application Support/temporalio'];

/** Where containers have their secrets. */
const SECRET_FOLDERS = ['/run/secrets', '/var/run/secrets'];

/**
 * Paths that no caller can read. They are found by the names of variables and properties, so that new settings with key
 * files are protected, too.
 */
export function protectedPaths({ env, stateDir, configPath, config }: ProtectedPlaces): ProtectedPaths {
  const named = new Set(textsIn(config, VARIABLE_PROPERTY).map((name) => `${name}_FILE`));
  const byVariable = Object.entries(env).flatMap(([name, value]) =>
    (FILE_VARIABLE.test(name) || named.has(name)) && value !== undefined ? [value] : [],
  );
  const home = homeDirectory(env);
  const byProperty = [config, temporalConfig(env)].flatMap((content) => textsIn(content, FILE_PROPERTY));
  return {
    files: [...new Set([configPath ?? '', ...byVariable, ...byProperty].flatMap(pathOf))],
    folders: [
      ...(stateDir === undefined ? [] : [resolve(stateDir)]),
      ...SECRET_FOLDERS,
      ...(home === undefined ? [] : HOME_FOLDERS.map((folder) => join(home, folder))),
    ],
    copies: stateDir === undefined ? undefined : join(resolve(stateDir), 'spool'),
  };
}

/** The same for a program without a `Config`: places that this process's environment names. */
export function protectedByEnvironment(env: Readonly<NodeJS.ProcessEnv> = process.env): ProtectedPaths {
  const { data, config } = userDirectories(env);
  const stateDir = env['LONGHAUL_STATE_DIR']?.trim() || data;
  const configPath = env['LONGHAUL_CONFIG']?.trim() || (config === undefined ? undefined : join(config, 'config.json'));
  return protectedPaths({ env, stateDir, configPath, config: undefined });
}

/** Temporal's config file, with the keys of client certificates. Other code reports its errors. */
function temporalConfig(env: Readonly<Record<string, string | undefined>>): unknown {
  const given = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  try {
    return loadClientConfig({ overrideEnvVars: Object.fromEntries(given) });
  } catch {
    return undefined;
  }
}

/** The texts of all properties with such a name, however deep. */
function textsIn(value: unknown, names: RegExp, property = ''): string[] {
  if (typeof value === 'string') return names.test(property) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    textsIn(inner, names, Array.isArray(value) ? property : name),
  );
}

function pathOf(value: string): string[] {
  const path = value.trim();
  return path === '' ? [] : [resolve(path)];
}
