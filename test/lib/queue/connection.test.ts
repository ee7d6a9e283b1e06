import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connectForGood, connectOnce, describeAddress, explainRedisError } from '../../../lib/queue/connection.ts';
import { freePort } from '../../support/free-port.ts';
import { tempDir } from '../../support/memory-builder.ts';
import { startRedis } from '../../support/running-redis.ts';

const PASSWORD = 'open-sesame';

/** Something that listens and is no Redis. */
async function listen(onConnection: (socket: Socket) => void): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined));
    onConnection(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a connection for a command', () => {
  test.each([
    ['says nothing', () => undefined, 'it did not answer within 2.5 s'],
    ['hangs up', (socket: Socket) => socket.destroy(), ''],
    ['speaks another language', (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), ''],
    ['talks without end', (socket: Socket) => socket.write(`-ERR \u001b[31m${'x'.repeat(9_000)}\r\n`), ''],
  ])('is refused by what %s, with what to do about it', async (_, behave, reason) => {
    const redisUrl = await listen((socket) => void behave(socket));
    const error = await connectOnce({ redisUrl, redisPassword: PASSWORD }).catch((caught: Error) => caught);
    expect(error).toMatchObject({ name: 'UnreachableError', hint: expect.stringContaining('npm start') });
    const { message } = error as Error;
    expect(message).toMatch(new RegExp(`^Could not reach Redis at ${redisUrl}: [^\\p{Cc}]{3,220}[^.]\\.$`, 'u'));
    expect(message).toContain(reason);
  });

  test('is refused where nothing listens', async () => {
    const redisUrl = `redis://127.0.0.1:${await freePort()}`;
    await expect(connectOnce({ redisUrl, redisPassword: undefined })).rejects.toThrow(
      `Could not reach Redis at ${redisUrl}: connect ECONNREFUSED`,
    );
  });

  test.each([
    ['without a password', '', undefined],
    ['with a wrong one', '', 'wrong-sesame'],
    ['with a wrong one in the address', ':wrong-sesame@', undefined],
    ['with a wrong user', 'nobody:open-sesame@', undefined],
  ])('is refused %s, which is not shown', async (_, inAddress, redisPassword) => {
    const { port } = await startRedis(join(tempDir(), 'redis'));
    const { client } = await connected(port);
    await client.config('SET', 'requirepass', PASSWORD);
    const redisUrl = `redis://${inAddress}127.0.0.1:${port}`;
    const error = await connectOnce({ redisUrl, redisPassword }).catch((caught: Error) => caught);
    expect(error).toMatchObject({ name: 'UnreachableError', hint: expect.stringContaining('REDIS_PASSWORD') });
    expect((error as Error).message).toContain(`redis://127.0.0.1:${port}: `);
    expect((error as Error).message).not.toContain('sesame');
  });

  test.each([
    ['beside the address', '', PASSWORD],
    ['in the address', `:${PASSWORD}@`, undefined],
  ])('is made with the password %s', async (_, inAddress, redisPassword) => {
    const { port } = await startRedis(join(tempDir(), 'redis'));
    const { client } = await connected(port);
    await client.config('SET', 'requirepass', PASSWORD);
    const redis = await connectOnce({ redisUrl: `redis://${inAddress}127.0.0.1:${port}`, redisPassword });
    onTestFinished(() => redis.disconnect());
    expect(await redis.ping()).toBe('PONG');
  });
});

async function connected(port: number) {
  const client = await connectOnce({ redisUrl: `redis://127.0.0.1:${port}`, redisPassword: undefined });
  onTestFinished(() => client.disconnect());
  return { client };
}

test.each([
  [undefined, 'redis://127.0.0.1:6379'],
  ['redis://user:secret@host:1/2', 'redis://host:1/2'],
  ['rediss://:se@c:ret@host', 'rediss://host'],
  ['redis://host:1?password=secret', 'redis://host:1'],
  ['redis://[::1]:1/#secret', 'redis://[::1]:1'],
])('the address %s is described as %s', (redisUrl, description) => {
  expect(describeAddress({ redisUrl, redisPassword: undefined })).toBe(description);
});

describe('an error of a command', () => {
  test('is that of an unreachable service once Redis has gone', async () => {
    const { port, kill } = await startRedis(join(tempDir(), 'redis'));
    const { client } = await connected(port);
    await kill();
    const config = { redisUrl: `redis://127.0.0.1:${port}`, redisPassword: undefined };
    const error = await client.get('key').catch((caught: Error) => caught);
    expect(explainRedisError(config, error)).toMatchObject({ name: 'UnreachableError' });
  });

  test('names REDIS_PASSWORD if Redis wants one by now', async () => {
    const { port, client: other } = await startRedis(join(tempDir(), 'redis'));
    await other.config('SET', 'requirepass', PASSWORD);
    const redis = connectForGood({ redisUrl: `redis://127.0.0.1:${port}`, redisPassword: undefined }, 2_000);
    redis.on('error', () => undefined);
    onTestFinished(() => redis.disconnect());
    const config = { redisUrl: `redis://127.0.0.1:${port}`, redisPassword: undefined };
    const error = await redis.info().catch((caught: Error) => caught);
    const hint = expect.stringContaining('Set REDIS_PASSWORD');
    expect(explainRedisError(config, error)).toMatchObject({ name: 'UnreachableError', hint });
  });

  test('is for the operator if Redis refuses, and stays what it is if it is a mistake of ours', async () => {
    const { port } = await startRedis(join(tempDir(), 'redis'), [
      '--maxmemory',
      '1',
      '--maxmemory-policy',
      'noeviction',
    ]);
    const { client } = await connected(port);
    const config = { redisUrl: `redis://127.0.0.1:${port}`, redisPassword: undefined };
    const error = await client.set('key', 'value').catch((caught: Error) => caught);
    expect(explainRedisError(config, error)).toMatchObject({
      name: 'OperatorError',
      message: expect.stringMatching(/^Could not use Redis at redis:.*: OOM command not allowed/),
    });
    const mistake = new TypeError('x is not a function');
    expect(explainRedisError(config, mistake)).toBe(mistake);
  });
});

test('a connection for good comes back after Redis was away, and finishes what was asked meanwhile', async () => {
  const { url, kill, start } = await startRedis(join(tempDir(), 'redis'));
  const redis = connectForGood({ redisUrl: url, redisPassword: undefined });
  redis.on('error', () => undefined);
  onTestFinished(() => redis.disconnect());
  await redis.set('key', 'before');
  await kill();
  const asked = redis.set('key', 'after');
  await start();
  expect(await asked).toBe('OK');
  expect(await redis.get('key')).toBe('after');
});

test('a connection for good does not let a command wait longer than it is told', async () => {
  const redis = connectForGood({ redisUrl: await listen(() => undefined), redisPassword: undefined }, 50);
  redis.on('error', () => undefined);
  onTestFinished(() => redis.disconnect());
  await expect(redis.ping()).rejects.toThrow('Command timed out');
});
