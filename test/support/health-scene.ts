import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Server as HttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { readProjects } from '../../lib/projects.ts';
import { type CheckOutcome, runChecks } from '../../scheduler/health/run-checks.ts';
import { healthTargets } from '../../scheduler/health/targets.ts';
import type { Certificate } from './certificates.ts';
import { tempDir } from './memory-builder.ts';

/** Makes checks of one project as projects.json states them, and returns what came of those. */
export async function check(
  checks: readonly Readonly<Record<string, unknown>>[],
  { path = '/nowhere', tries = 1, nowMs = Date.now(), swarmDbPath = '/nowhere/memory.db', backupDir = '/nowhere' } = {},
): Promise<readonly CheckOutcome[]> {
  const file = join(tempDir(), 'projects.json');
  writeFileSync(file, JSON.stringify({ projects: [{ name: 'acme', path, checks }] }));
  const outcomes = await runChecks({
    targets: healthTargets(readProjects(file).values(), swarmDbPath),
    ...{ swarmDbPath, backupDir, tries, pauseMs: 10 },
    clock: () => nowMs,
    signal: new AbortController().signal,
  });
  return outcomes.slice(0, checks.length);
}

/** The same for a single one: its state and what it says in English. */
export async function checkOne(
  stated: Readonly<Record<string, unknown>>,
  options: Parameters<typeof check>[1] = {},
): Promise<readonly [state: string, text: string]> {
  const [{ state, text }] = await check([stated], options);
  return [state, text.en];
}

/** A web server for a test; with a certificate it speaks TLS. */
export async function serveHttp(answer: RequestListener, certificate?: Certificate): Promise<string> {
  const server = certificate === undefined ? createServer(answer) : createHttpsServer(certificate, answer);
  const port = await listen(server);
  onTestFinished(() => (server as HttpServer).closeAllConnections());
  return `http${certificate === undefined ? '' : 's'}://127.0.0.1:${port}`;
}

/** A server that does with a connection whatever it likes; gives its port. */
export async function serveTcp(greet: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    greet(socket);
  });
  const port = await listen(server);
  // What is registered last is done first: a server closes when nobody is connected any more.
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return port;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}
