import { ServiceError } from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { describeError } from '../../../../src/cli/errors.ts';
import { fromTemporal } from '../../../../src/client/temporal-faults.ts';

function ofGrpc(code: number, details: string): ServiceError {
  const cause = Object.assign(new Error(`${code} ${details}`), { code, details, metadata: {} });
  return new ServiceError('Failed to start Workflow', { cause });
}

function ofSystem(code: string, syscall: string, more: object = {}): Error {
  return Object.assign(new Error(`${code}: text of the system, ${syscall}`), { code, errno: -1, syscall, ...more });
}

describe('the line about an error of Temporal', () => {
  it.each([
    [1, 'the request to Temporal was cancelled: details (CANCELLED). Try again.'],
    [2, 'Temporal failed: details (UNKNOWN). Check the log of the Temporal server.'],
    [3, 'Temporal rejected the request: details (INVALID_ARGUMENT). Change the value that it names.'],
    [4, 'Temporal did not respond in time: details (DEADLINE_EXCEEDED). Check the Temporal server, then try'],
    [5, 'not found in Temporal: details (NOT_FOUND). Check the ID and TEMPORAL_NAMESPACE.'],
    [6, 'the ID already exists in Temporal: details (ALREADY_EXISTS). Choose another ID.'],
    [7, 'Temporal denied access: details (PERMISSION_DENIED). Check TEMPORAL_NAMESPACE and the permissions of'],
    [8, 'Temporal rejected the request because of a limit: details (RESOURCE_EXHAUSTED). Try again later.'],
    [9, 'the current state does not allow the request: details (FAILED_PRECONDITION). Check the state of the workflow'],
    [10, 'Temporal aborted the request: details (ABORTED). Try again.'],
    [11, 'Temporal rejected the request: details (OUT_OF_RANGE). Change the value that it names.'],
    [12, 'the server does not support the request: details (UNIMPLEMENTED). Check TEMPORAL_ADDRESS'],
    [13, 'Temporal failed: details (INTERNAL). Check the log of the Temporal server.'],
    [
      14,
      'Temporal did not respond: details (UNAVAILABLE). Check TEMPORAL_ADDRESS and that the Temporal server is running.',
    ],
    [15, 'Temporal lost data: details (DATA_LOSS). Check the database of the Temporal server.'],
    [
      16,
      'Temporal rejected the credentials: details (UNAUTHENTICATED). Check TEMPORAL_API_KEY or the client certificate.',
    ],
    [99, 'Temporal failed: details (code 99). Check the Temporal server.'],
  ])('with code %i has a cause and a fix', (code, line) => {
    const error = ofGrpc(code, 'details\n.');
    expect(describeError(error)).toContain(`longhaul: ${line}`);
    expect(describeError(fromTemporal(error, 'id'))).toContain(`longhaul: ${line}`);
  });

  it.each([
    ['Namespace nope is not found.', 'namespace "nope" not found. Set TEMPORAL_NAMESPACE to an existing namespace, or'],
    ['database or disk is full (13)', 'the disk of the Temporal database is full. Free some space, then try again.'],
    [
      'attempt to write a readonly database',
      'the Temporal database cannot be written. Grant write access to the state',
    ],
    [
      'database disk image is malformed (11)',
      'the Temporal database is damaged. Restore temporal.db and temporal.db-wal',
    ],
    ['file is not a database (26)', 'the Temporal database is damaged. Restore temporal.db and temporal.db-wal'],
    ['disk I/O error (778)', 'the disk of the Temporal database reports an error. Check the disk and the limit of'],
  ])('explains %j separately', (details, line) => {
    for (const code of [2, 5, 13, 14]) expect(describeError(ofGrpc(code, details))).toContain(`longhaul: ${line}`);
  });
});

it('the line about a limit of virtual memory names the limit', () => {
  const error = new RangeError(
    'WebAssembly.instantiate(): Out of memory: Cannot allocate Wasm memory for new instance',
  );
  expect(describeError(error)).toBe(
    'longhaul: the process cannot reserve memory. Raise the limit of virtual memory (ulimit -v).',
  );
});

describe('the line about an error of the system', () => {
  it.each([
    [
      ofSystem('EACCES', 'open', { path: '/a' }),
      'cannot open /a: permission denied (EACCES). Grant this user access to it.',
    ],
    [
      ofSystem('ENOSPC', 'write'),
      'cannot write a file or the output: no space left on the disk (ENOSPC). Free some space.',
    ],
    [
      ofSystem('EROFS', 'mkdir', { path: '/a' }),
      'cannot create /a: the file system is read-only (EROFS). Choose a path',
    ],
    [ofSystem('EMFILE', 'open', { path: '/a' }), 'cannot open /a: too many open files in this process (EMFILE). Raise'],
    [ofSystem('ENOENT', 'uv_cwd'), 'the current directory does not exist (ENOENT). Change to another directory.'],
    [
      ofSystem('ENOENT', 'mkdtemp', { path: '/a/x' }),
      'cannot create a temporary directory /a/x: it does not exist (ENOENT). Set TMPDIR',
    ],
    [ofSystem('EACCES', 'spawn temporal', { path: 'temporal' }), 'cannot start temporal: permission denied (EACCES).'],
    [
      ofSystem('EADDRINUSE', 'listen', { address: '::1', port: 80 }),
      'cannot listen on ::1:80: the address is in use (EADDRINUSE). Choose another port.',
    ],
    [
      ofSystem('ECONNREFUSED', 'connect', { address: '::1', port: 9 }),
      'cannot connect to ::1:9: connection refused (ECONNREFUSED). Check the address',
    ],
    [
      ofSystem('ENOTFOUND', 'getaddrinfo', { hostname: 'h' }),
      'cannot resolve h: the host name does not resolve (ENOTFOUND).',
    ],
    [ofSystem('EWHATEVER', 'strange'), 'cannot use a file or an address: EWHATEVER. Check the path.'],
  ])('%s has a cause and a fix', (error, line) => {
    expect(describeError(error)).toContain(`longhaul: ${line}`);
    expect(describeError(error)).not.toMatch(/unexpected:|text of the system/);
  });
});

it('the line about a missing namespace has a cause and a fix', () => {
  expect(describeError(new NamespaceNotFoundError('nope'))).toContain(
    'longhaul: namespace "nope" not found. Set TEMPORAL_NAMESPACE',
  );
});
