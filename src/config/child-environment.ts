/** Variables that any program needs, and those that limit a Go program such as Temporal. None of them contains a key. */
const usual = /^(PATH|HOME|TMPDIR|TZ|LANG|LANGUAGE|LC_[A-Z]+|XDG_[A-Z_]+|GO(GC|MAXPROCS|MEMLIMIT))$/;

/** Variables by which pip and uv find their index and their way through a company network. */
const ofDownloaders =
  /^(PIP_[A-Z_]+|UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|OFFLINE|NATIVE_TLS|SYSTEM_CERTS|CACHE_DIR|HTTP_TIMEOUT)|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|(HTTPS?|ALL|NO)_PROXY|LD_LIBRARY_PATH|PYENV_(ROOT|VERSION))$/i;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns the environment of a child process: only variables that are known to be needed, so that no key reaches it.
 *
 * @param changes variables to add
 */
export function childEnvironment(changes: Environment = {}, env: Environment = process.env): NodeJS.ProcessEnv {
  return { ...pick(env, (name) => usual.test(name)), ...changes };
}

/** Returns the environment of a program that downloads a Python package. */
export function downloaderEnvironment(env: Environment = process.env): NodeJS.ProcessEnv {
  return pick(env, (name) => usual.test(name) || ofDownloaders.test(name));
}

function pick(env: Environment, isWanted: (name: string) => boolean): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => isWanted(name)));
}
