// Grafana as far as the stack needs it: it reads its password, writes its folder, and answers on port 3000.
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const password = readFileSync(process.env.GF_SECURITY_ADMIN_PASSWORD__FILE ?? '', 'utf8');
if (password === '') throw new Error('There is no password.');
writeFileSync('/var/lib/grafana/grafana.db', '');
const answers = new Map([
  ['/api/health', '{"database":"ok"}'],
  ['/metrics', 'grafana_build_info 1\n'],
]);
const server = createServer((request, response) => {
  const answer = answers.get(request.url ?? '');
  response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'text/plain; version=0.0.4' }).end(answer);
});
server.listen(3000, '0.0.0.0');
process.on('SIGTERM', () => process.exit(0));
