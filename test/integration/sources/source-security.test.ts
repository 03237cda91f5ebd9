import type { lookup, LookupAddress } from 'node:dns';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Source } from '../../../src/contracts/sources.ts';
import { AddressPolicy } from '../../../src/sources/http/address-policy.ts';
import { FilePermission } from '../../../src/sources/file/permission.ts';
import { openFileSource } from '../../../src/sources/file/source.ts';
import { sourceOfUrl } from '../../../src/sources/source-of-url.ts';
import { Sources } from '../../../src/sources/sources.ts';
import type { HttpSettings } from '../../../src/sources/source-settings.ts';
import { withHttpOrigin, type HttpOrigin } from '../../support/http-origin.ts';
import { withTempDir } from '../../support/temp-dir.ts';
import { uploadRequestProblems } from '../../../src/contracts/requests/problems.ts';

const content = Buffer.from('the secret of a neighbour');
const forbidden = { code: 'SOURCE_FORBIDDEN', retryable: false };

type Answers = (name: string) => readonly LookupAddress[];

/** Replaces DNS. */
function resolverOf(answers: Answers): typeof lookup {
  const resolve = (name: string, _options: object, callback: (error: null, addresses: LookupAddress[]) => void) =>
    callback(null, [...answers(name)]);
  return resolve as unknown as typeof lookup;
}

/** Asks for size and fingerprint as a worker would. */
async function stat(url: string, settings: HttpSettings = {}, answers?: Answers): Promise<unknown> {
  const policy = answers ? new AddressPolicy(settings, {}, resolverOf(answers)) : new AddressPolicy(settings);
  const sources = new Sources({ http: settings }, policy);
  try {
    const reader = await sources.open({ type: 'http', url });
    return await reader.stat();
  } finally {
    await sources.close();
  }
}

const withOrigin = (body: (origin: HttpOrigin) => Promise<void>) => withHttpOrigin({ content }, body);

describe('an address that is not public', () => {
  it.each([
    ['host name', 'localhost'],
    ['dotted decimal', '127.0.0.1'],
    ['short', '127.1'],
    ['decimal', '2130706433'],
    ['hexadecimal', '0x7f000001'],
    ['dotted hexadecimal', '0x7f.0.0.0x1'],
    ['octal', '0177.0.0.1'],
    ['Unicode digits', '①②⑦.0.0.1'],
    ['percent-encoded', '%31%32%37.0.0.1'],
    ['unspecified', '0.0.0.0'],
    ['zero', '0'],
    ['another loopback address', '127.8.9.10'],
    ['IPv6', '[::1]'],
    ['unspecified IPv6', '[::]'],
    ['IPv4-mapped IPv6', '[::ffff:127.0.0.1]'],
    ['IPv4-mapped IPv6 in hexadecimal', '[::ffff:7f00:1]'],
    ['IPv4-compatible IPv6', '[::127.0.0.1]'],
  ])('is rejected without connecting: %s', (_, host) =>
    withOrigin(async ({ port, requests }) => {
      await expect(stat(`http://${host}:${port}/x`)).rejects.toMatchObject(forbidden);
      expect(requests).toEqual([]);
    }),
  );

  it.each([
    '169.254.169.254',
    '169.254.169.254.',
    '100.100.100.200',
    '168.63.129.16',
    '168.63.129.16.',
    '2822734096',
    '0xa83f8110',
    '0250.077.0201.020',
    '168.63.33040',
    '[::ffff:168.63.129.16]',
    '[::168.63.129.16]',
    '[::ffff:0:168.63.129.16]',
    '[64:ff9b::168.63.129.16]',
    '[2002:a83f:8110::1]',
    '[fd00:ec2::254]',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '198.18.0.1',
    '192.0.0.192',
    '224.0.0.1',
    '255.255.255.255',
    '[fe80::1]',
    '[fc00::1]',
    '[ff02::1]',
    '[64:ff9b::169.254.169.254]',
    '[64:ff9b:1::1]',
    '[2002:a9fe:a9fe::1]',
    '[2001:0:a9fe:a9fe::1]',
    '[::ffff:0:169.254.169.254]',
  ])('is rejected before any connection: %s', async (host) => {
    const begunAtMs = Date.now();
    await expect(stat(`http://${host}/latest/meta-data`)).rejects.toMatchObject({
      ...forbidden,
      message: expect.stringContaining('sources.http.allowPrivate'),
    });
    expect(Date.now() - begunAtMs, 'a connection would take its time').toBeLessThan(2000);
  });

  it('is permitted if the configuration lists the address, its network or its name', () =>
    withOrigin(async ({ port, requests }) => {
      for (const [host, allowed] of [
        ['127.0.0.1', '127.0.0.1'],
        ['127.0.0.1', '127.0.0.0/8'],
        ['files.internal', 'files.internal'],
        ['files.internal', '*.internal'],
        ['files.internal', '127.0.0.0/8'],
      ] as const) {
        const answers = () => [{ address: '127.0.0.1', family: 4 }];
        const info = await stat(`http://${host}:${port}/x`, { allowPrivate: [allowed] }, answers);
        expect(info).toMatchObject({ sizeBytes: content.byteLength });
      }
      const before = requests.length;
      await expect(stat(`http://127.0.0.1:${port}/x`, { allowPrivate: ['10.0.0.0/8'] })).rejects.toMatchObject(
        forbidden,
      );
      expect(requests).toHaveLength(before);
    }));
});

describe('a DNS name', () => {
  it.each<[string, readonly LookupAddress[]]>([
    ['a private address', [{ address: '127.0.0.1', family: 4 }]],
    [
      'a public and a private address',
      [
        { address: '93.184.215.14', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ],
    ],
    ['an IPv4-mapped private address', [{ address: '::ffff:127.0.0.1', family: 6 }]],
    ['a link-local address', [{ address: 'fe80::1%lo', family: 6 }]],
  ])('that resolves to %s is rejected without connecting', (_, addresses) =>
    withOrigin(async ({ port, requests }) => {
      await expect(stat(`http://cdn.example:${port}/x`, {}, () => addresses)).rejects.toMatchObject(forbidden);
      expect(requests).toEqual([]);
    }),
  );

  it('is rejected if it resolves to a private address at the next connection', () =>
    withOrigin(async ({ port, requests, behaviour }) => {
      let answers: LookupAddress[] = [{ address: '127.0.0.2', family: 4 }];
      // The name is permitted while it resolves to 127.0.0.2, which represents a public address here.
      const settings = { allowPrivate: ['127.0.0.2'] };
      const policy = new AddressPolicy(
        settings,
        {},
        resolverOf(() => answers),
      );
      const sources = new Sources({ http: settings }, policy);
      try {
        const reader = await sources.open({ type: 'http', url: `http://cdn.example:${port}/x` });
        // Nothing listens at 127.0.0.2, so that no connection is kept.
        await expect(reader.stat()).rejects.toMatchObject({ code: 'SOURCE_READ_FAILED' });
        answers = [{ address: '127.0.0.1', family: 4 }];
        await expect(reader.stat()).rejects.toMatchObject(forbidden);
        expect(requests).toEqual([]);
        expect(behaviour.content).toBe(content);
      } finally {
        await sources.close();
      }
    }));
});

describe('a redirect', () => {
  it.each(['http://127.0.0.2:PORT/secret', 'http://[::1]:PORT/', 'http://2130706434:PORT/'])(
    'to the private address %s is rejected without connecting',
    (location) =>
      withOrigin(async ({ port, requests, behaviour }) => {
        behaviour.answer = (_, response) => {
          response.writeHead(302, { location: location.replace('PORT', String(port)) }).end();
          return true;
        };
        const asked = stat(`http://127.0.0.1:${port}/begin`, { allowPrivate: ['127.0.0.1'] });
        await expect(asked).rejects.toMatchObject(forbidden);
        expect(requests.map(({ path }) => path)).toEqual(['/begin']);
      }),
  );

  it.each(['file:///etc/passwd', 'ftp://127.0.0.1/x', 'data:text/plain,x'])('to %s is rejected', (location) =>
    withOrigin(async ({ port, behaviour }) => {
      behaviour.answer = (_, response) => Boolean(response.writeHead(302, { location }).end());
      const asked = stat(`http://127.0.0.1:${port}/begin`, { allowPrivate: ['127.0.0.1'] });
      await expect(asked).rejects.toMatchObject(forbidden);
    }),
  );

  it('to a host that is not listed is rejected', () =>
    withOrigin(async ({ port, requests, behaviour }) => {
      behaviour.answer = (_, response) =>
        Boolean(response.writeHead(302, { location: `http://other.example:${port}/` }).end());
      const answers = () => [{ address: '127.0.0.1', family: 4 }];
      const settings = { hosts: ['*.good.example'], allowPrivate: ['127.0.0.1'] };
      await expect(stat(`http://a.good.example:${port}/`, settings, answers)).rejects.toMatchObject(forbidden);
      expect(requests).toHaveLength(1);
    }));
});

describe('a URL', () => {
  it.each(['file:///etc/passwd', 'ftp://host/x', 'gopher://host/x', 'javascript:x'])(
    'is rejected as a source if its scheme is not http or https: %s',
    async (url) => {
      expect(() => sourceOfUrl(url, { connection: undefined, sealKey: undefined })).toThrow(/must start with/);
      expect(uploadRequestProblems({ source: { type: 'http', url }, purpose: 'assistants' })).toHaveLength(1);
      await expect(new Sources().open({ type: 'http', url })).rejects.toMatchObject(forbidden);
    },
  );

  it.each(['http://user:canary@host/x', 'http://host/x?sig=canary', 'http://host/x#canary', 'http://a\\@host/x'])(
    'with credentials, a query or a fragment is rejected and not shown: %s',
    (url) => {
      const problems = uploadRequestProblems({ source: { type: 'http', url }, purpose: 'assistants' });
      expect(problems).toHaveLength(1);
      expect(problems[0]).not.toContain('canary');
    },
  );
});

describe('a file', () => {
  it('is read only if its real path is in a root', () =>
    withTempDir(async (directory) => {
      const root = join(directory, 'root');
      await mkdir(join(root, '..dots'), { recursive: true });
      await mkdir(join(directory, 'root-other'));
      const outside = join(directory, 'secret');
      await writeFile(outside, 'secret');
      await writeFile(join(directory, 'root-other', 'x'), 'x');
      await writeFile(join(root, 'good'), 'good');
      await writeFile(join(root, '..dots', 'x'), 'good');
      await symlink(outside, join(root, 'link'));
      await symlink(directory, join(root, 'up'));
      await symlink(root, join(directory, 'way-in'));
      const sources = new Sources({ files: { roots: [root] } });
      const open = async (path: string) => (await sources.open({ type: 'file', path })).close();

      for (const path of [join(root, 'good'), join(root, '..dots', 'x'), join(directory, 'way-in', 'good')])
        await open(path);
      for (const path of [
        outside,
        `${root}/../secret`,
        join(root, 'link'),
        join(root, 'up', 'secret'),
        join(directory, 'root-other', 'x'),
        '/etc/passwd',
        // The error must not show whether it exists.
        join(directory, 'no-such'),
      ]) {
        await expect(open(path), path).rejects.toMatchObject(forbidden);
      }
      await expect(open(join(root, 'no-such'))).rejects.toMatchObject({ code: 'SOURCE_MISSING' });
    }));

  it('is rejected if its link changes between the check and the opening', () =>
    withTempDir(async (directory) => {
      const root = join(directory, 'root');
      await mkdir(root);
      const outside = join(directory, 'secret');
      await writeFile(outside, 'secret');
      const handle = await import('node:fs/promises').then(({ open }) => open(outside));
      try {
        // The path is good again by now; what was opened is not.
        await writeFile(join(root, 'x'), 'good');
        const permission = new FilePermission({ roots: [root] });
        await expect(
          permission.assertOpened(join(root, 'x'), handle.fd, await handle.stat({ bigint: true })),
        ).rejects.toMatchObject(forbidden);
      } finally {
        await handle.close();
      }
      // And for real: a link that changes all the time never gives the secret away.
      const link = join(root, 'flip');
      let isOver = false;
      const flipping = (async () => {
        for (let turn = 0; !isOver; turn++) {
          await symlink(turn % 2 === 0 ? outside : join(root, 'x'), `${link}.new`);
          await rename(`${link}.new`, link);
        }
      })();
      const seen = { good: 0, refused: 0 };
      for (let tries = 0; tries < 20_000 && (seen.good < 20 || seen.refused < 20); tries++) {
        const source: Source = { type: 'file', path: link };
        const reader = await openFileSource(source, { roots: [root] }).catch(() => undefined);
        if (!reader) {
          seen.refused++;
          continue;
        }
        const buffer = Buffer.alloc(10);
        const bytesRead = await reader.read(buffer, 0);
        expect(buffer.subarray(0, bytesRead).toString()).toBe('good');
        seen.good++;
        await reader.close();
      }
      isOver = true;
      await flipping;
      await rm(link, { force: true });
      expect(Math.min(seen.good, seen.refused)).toBeGreaterThan(0);
    }));
});
