import { describe, expect, it } from 'vitest';
import { matchRoute } from '../../../src/local-api/router.ts';

describe('matchRoute', () => {
  it.each([
    ['POST', '/uploads', 'create', ''],
    ['POST', '/uploads/upload_1/parts', 'part', 'upload_1'],
    ['POST', '/uploads/upload_1/complete', 'complete', 'upload_1'],
    ['POST', '/uploads/upload_1/cancel', 'cancel', 'upload_1'],
    ['GET', '/files', 'list', ''],
    ['GET', '/files/file-1', 'retrieve', 'file-1'],
    ['GET', '/files/file-1/content', 'content', 'file-1'],
    ['DELETE', '/files/file-1', 'delete', 'file-1'],
    ['POST', '/batches', 'batch-create', ''],
    ['GET', '/batches', 'batch-list', ''],
    ['GET', '/batches/batch_1', 'batch-retrieve', 'batch_1'],
  ])('finds %s %s', (method, path, route, id) => {
    expect(matchRoute(method, path)).toEqual({ kind: 'found', route, id });
  });

  it('returns the methods of a path for another method', () => {
    expect(matchRoute('PUT', '/files/file-1')).toEqual({ kind: 'wrong-method', allow: 'GET, DELETE' });
  });

  it.each([
    ['GET', '/uploads/upload_1'],
    ['GET', '/'],
    ['POST', '/v1/uploads'],
    ['GET', undefined],
    ['POST', '/uploads/a/b/parts'],
  ])('finds no route for %s %s', (method, path) => {
    expect(matchRoute(method, path)).toEqual({ kind: 'unknown' });
  });
});
