import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { readKeyFile } from '../../keys/key-file.ts';
import { ConfigError } from '../../errors.ts';
import { EncryptionCodec } from '../../encryption/codec.ts';
import { EncryptionKeys } from '../../encryption/keys.ts';
import { startCodecServer } from '../../encryption/codec-server.ts';
import { causeOf } from '../../core/text/errno-cause.ts';
import { interrupted, type CliContext } from '../context.ts';

interface CodecServerCommandOptions {
  readonly port: number;
  readonly host: string;
  readonly origin?: readonly string[];
  readonly tokenFile?: string;
}

const MIN_TOKEN_CHARACTERS = 16;
const token = {
  accepts: (text: string) => text.length >= MIN_TOKEN_CHARACTERS && /^[\w.~-]+$/.test(text),
  problem: (label: string) =>
    `the token in ${label} must have at least ${MIN_TOKEN_CHARACTERS} characters: letters, digits and . _ ~ -. Create one with "openssl rand -hex 32"`,
};

/** Decrypts payloads for Temporal UI and the `temporal` command until it is interrupted. */
export async function codecServerCommand(context: CliContext, options: CodecServerCommandOptions): Promise<void> {
  const { encryptionKeyFile } = context.config;
  if (encryptionKeyFile === undefined) {
    throw new ConfigError(
      'no encryption keys are configured. Set LONGHAUL_ENCRYPTION_KEY_FILE to the key file that the workers use',
    );
  }
  const { host, port, origin = [] } = options;
  const tokenFile = options.tokenFile ?? context.config.codecTokenFile;
  const path = tokenFile === undefined ? undefined : resolve(tokenFile);
  const secret =
    path === undefined ? randomBytes(32).toString('hex') : readKeyFile(path, `the token file ${path}`, token);
  const started = {
    codec: new EncryptionCodec(new EncryptionKeys(encryptionKeyFile)),
    host,
    port,
    token: secret,
    origins: origin,
    log: context.note,
  };
  const server = await startCodecServer(started).catch((error: unknown) => {
    throw new ConfigError(
      `the codec server cannot listen on ${host} port ${port}: ${causeOf(error)}. Choose another --port or --host`,
    );
  });
  const endpoint = `${server.url}/${path === undefined ? secret : 'TOKEN'}`;
  context.note(`codec server on ${server.url}`);
  if (path !== undefined) context.note(`  TOKEN in the following lines is the token in ${path}`);
  context.note(`  in Temporal UI, set the codec endpoint to ${endpoint}`);
  context.note(`  temporal workflow show --workflow-id ID --codec-endpoint ${endpoint}`);
  await interrupted(context.signal);
  await server.close();
}
