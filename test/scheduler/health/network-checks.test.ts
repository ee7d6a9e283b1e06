import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeCertificate } from '../../support/certificates.ts';
import { freePort } from '../../support/free-port.ts';
import { check, checkOne, serveHttp, serveTcp } from '../../support/health-scene.ts';
import { tempDir } from '../../support/memory-builder.ts';

const DAY_MS = 86_400_000;

test('a page is up if it answers 2xx, or the status that is stated', async () => {
  const url = await serveHttp((request, response) => {
    response.writeHead(Number(request.url?.slice(1))).end();
  });
  expect(await checkOne({ type: 'http', url: `${url}/204` })).toEqual(['up', 'answered 204']);
  expect(await checkOne({ type: 'http', url: `${url}/401`, status: 401 })).toEqual(['up', 'answered 401']);
  expect(await checkOne({ type: 'http', url: `${url}/200`, status: 401 })).toEqual([
    'down',
    'answered 200, expected 401',
  ]);
  expect(await checkOne({ type: 'http', url: `${url}/503` })).toEqual(['down', 'answered 503, expected 2xx']);
});

test('what people read is Italian too', async () => {
  const url = await serveHttp((_, response) => void response.writeHead(500).end());
  const [{ text }] = await check([{ type: 'http', url }]);
  expect(text.it).toBe('risposta 500, attesa 2xx');
});

test('it is asked by its name, with what follows the path, and nothing is asked to be packed', async () => {
  const seen: unknown[] = [];
  const url = await serveHttp(({ method, url: path, headers }, response) => {
    seen.push(method, path, headers.host, headers['accept-encoding']);
    response.end();
  });
  await checkOne({ type: 'http', url: `${url}/health?full=1` });
  expect(seen).toEqual(['GET', '/health?full=1', new URL(url).host, 'identity']);
});

test('a redirect is an answer and is not followed, and of where it leads only the origin is told', async () => {
  const asked: (string | undefined)[] = [];
  const url = await serveHttp(({ url: path }, response) => {
    asked.push(path);
    response.writeHead(302, { Location: 'http://metadata.internal/secret?token=1' }).end();
  });
  const text = 'answered 302, sends on to http://metadata.internal, expected 2xx';
  expect(await checkOne({ type: 'http', url: `${url}/` })).toEqual(['down', text]);
  expect(await checkOne({ type: 'http', url: `${url}/`, status: 302 })).toEqual(['up', 'answered 302']);
  expect(asked).toEqual(['/', '/']);
});

test('a text is looked for in the first mebibyte; an answer without end is cut there', async () => {
  const url = await serveHttp(({ url: path }, response) => {
    if (path === '/endless') {
      const pour = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', pour);
      pour();
    } else {
      response.end(`${'x'.repeat(path === '/late' ? 2 ** 20 : 500_000)}all is well`);
    }
  });
  const stated = { type: 'http', text: 'all is well' };
  expect(await checkOne({ ...stated, url: `${url}/` })).toEqual(['up', 'answered 200']);
  const missing = 'answered 200, but "all is well" is not in its first 1024 KiB';
  expect(await checkOne({ ...stated, url: `${url}/late` })).toEqual(['down', missing]);
  expect(await checkOne({ ...stated, url: `${url}/endless` })).toEqual(['down', missing]);
});

test('who does not answer in time is down, whether silent, slow or without an end', async () => {
  const silent = await serveTcp(() => undefined);
  const slow = await serveTcp((socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    const timer = setInterval(() => socket.write('.'), 20);
    socket.once('close', () => clearInterval(timer));
  });
  const url = (port: number): string => `http://127.0.0.1:${port}/`;
  const late = ['down', 'no answer within 1 s'];
  expect(await checkOne({ type: 'http', url: url(silent), timeoutSeconds: 1 })).toEqual(late);
  expect(await checkOne({ type: 'http', url: url(slow), text: 'well', timeoutSeconds: 1 })).toEqual(late);
  expect(await checkOne({ type: 'tls', host: '127.0.0.1', port: silent, timeoutSeconds: 1 })).toEqual(late);
});

test('what speaks another language is down, and nothing it says is told', async () => {
  const ssh = await serveTcp((socket) => socket.end('\u001b]0;evil\u0007SSH-2.0-evil\r\n'));
  const closing = await serveTcp((socket) => socket.destroy());
  const upgrading = await serveTcp((socket) =>
    socket.write('HTTP/1.1 101 x\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
  );
  const headers = await serveTcp((socket) => socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`));
  const ask = async (port: number) =>
    await checkOne({ type: 'http', url: `http://127.0.0.1:${port}/`, timeoutSeconds: 5 });
  expect(await ask(ssh)).toEqual(['down', 'no proper answer (HPE_INVALID_CONSTANT)']);
  expect(await ask(closing)).toEqual(['down', 'the connection was cut (ECONNRESET)']);
  expect(await ask(upgrading)).toEqual(['down', 'the connection was cut (ECONNRESET)']);
  expect(await ask(headers)).toEqual(['down', 'no proper answer (HPE_HEADER_OVERFLOW)']);
});

test('nobody there, and a name that does not exist', async () => {
  const port = await freePort();
  expect(await checkOne({ type: 'tcp', host: '127.0.0.1', port })).toEqual(['down', 'nobody listens (ECONNREFUSED)']);
  expect(await checkOne({ type: 'http', url: `http://127.0.0.1:${port}/` })).toEqual([
    'down',
    'nobody listens (ECONNREFUSED)',
  ]);
  const [state, text] = await checkOne({ type: 'http', url: 'http://nothing.invalid/' });
  expect([state, text]).toEqual(['down', expect.stringMatching(/name.*\((?:ENOTFOUND|EAI_AGAIN)\)/)]);
});

test('a port somebody listens on is up', async () => {
  const port = await serveTcp(() => undefined);
  expect(await checkOne({ type: 'tcp', host: '127.0.0.1', port })).toEqual(['up', `127.0.0.1:${port}`]);
});

test('what is down for a moment is asked again', async () => {
  let asked = 0;
  const url = await serveHttp((_, response) => {
    asked += 1;
    response.writeHead(asked === 3 ? 200 : 500).end();
  });
  expect(await checkOne({ type: 'http', url }, { tries: 2 })).toEqual(['down', 'answered 500, expected 2xx']);
  expect(await checkOne({ type: 'http', url }, { tries: 2 })).toEqual(['up', 'answered 200']);
});

test('a certificate is trusted or not, and its end is told either way; to a stranger nothing is sent', async () => {
  const folder = tempDir();
  const [now, end] = [Date.now(), Math.floor(Date.now() / 1_000) * 1_000 + 62.5 * DAY_MS];
  const good = makeCertificate(join(folder, 'good'), now - DAY_MS, end);
  const old = makeCertificate(join(folder, 'old'), now - 2 * DAY_MS, now - DAY_MS);
  let asked = 0;
  const url = await serveHttp((_, response) => {
    asked += 1;
    response.end();
  }, good);
  const expired = await serveHttp((_, response) => void response.end(), old);
  const { port } = new URL(url);
  const [trusted, unknown, past, tls, soon] = await check([
    { type: 'http', url, ca: good.file },
    { type: 'http', url },
    { type: 'http', url: expired, ca: old.file },
    { type: 'tls', host: 'localhost', port: Number(port), ca: good.file },
    { type: 'tls', host: 'localhost', port: Number(port), ca: good.file, minDays: 90 },
  ]);
  const figures = { certificateExpirySeconds: end / 1_000 };
  expect(trusted).toMatchObject({ state: 'up', text: { en: 'answered 200, certificate for another 62 d' }, figures });
  expect(unknown).toMatchObject({
    state: 'down',
    text: { en: 'the certificate is not valid (DEPTH_ZERO_SELF_SIGNED_CERT)' },
    figures,
  });
  expect(past).toMatchObject({ state: 'down', text: { it: 'certificato scaduto', en: 'the certificate has expired' } });
  expect(past.figures?.certificateExpirySeconds).toBeLessThan(now / 1_000);
  expect(tls).toMatchObject({ state: 'up', text: { it: 'certificato ancora 62 g' }, figures });
  expect(soon).toMatchObject({ state: 'down', text: { en: 'certificate for another 62 d' } });
  expect(asked).toBe(1);
});

test('a certificate for another name is not valid, and a file of certificates that is not there is no fault of the server', async () => {
  const certificate = makeCertificate(tempDir(), Date.now() - DAY_MS, Date.now() + DAY_MS);
  const port = Number(new URL(await serveHttp((_, response) => void response.end(), certificate)).port);
  const [other, noFile] = await check([
    { type: 'tls', host: '127.0.0.2', port, ca: certificate.file },
    { type: 'tls', host: '127.0.0.1', port, ca: '/nowhere/ca.pem' },
  ]);
  expect(other.state).toBe('down');
  expect([noFile.state, noFile.text.en]).toEqual([
    'unavailable',
    'Could not read the certificates "/nowhere/ca.pem". Check "ca" in projects.json.',
  ]);
});
