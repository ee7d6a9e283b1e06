import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A server that shows metrics as Litestream 0.5 does. */
export interface FakeLitestream {
  readonly url: string;
  /** Files that it uploaded. */
  upload: (count?: number) => void;
  /** From now on its counters begin anew. */
  restart: () => void;
  /** From now on somebody else answers. */
  answerWith: (listener: RequestListener) => void;
}

/** Starts one that uploads something before every answer if `isBusy`; it stops when the test ends. */
export async function startFakeLitestream({ isBusy = false } = {}): Promise<FakeLitestream> {
  let uploads = 0;
  let listener: RequestListener = (_, response) => {
    if (isBusy) uploads += 1;
    response.setHeader('Content-Type', 'text/plain; version=0.0.4; charset=utf-8').end(metricsOf(uploads));
  };
  const server = createServer((request, response) => listener(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`,
    upload: (count = 1) => {
      uploads += count;
    },
    restart: () => {
      uploads = 0;
    },
    answerWith: (given) => {
      listener = given;
    },
  };
}

/** Of operations only those that happened have a line. */
function metricsOf(uploads: number): string {
  const operations =
    uploads === 0 ? '' : `litestream_replica_operation_total{operation="PUT",replica_type="s3"} ${uploads}\n`;
  return `# HELP go_goroutines Number of goroutines that currently exist.
# TYPE go_goroutines gauge
go_goroutines 21
# HELP litestream_replica_operation_total The number of replica operations performed
# TYPE litestream_replica_operation_total counter
litestream_replica_operation_total{operation="LIST",replica_type="s3"} 7
${operations}# HELP litestream_sync_count Number of sync operations performed
# TYPE litestream_sync_count counter
litestream_sync_count{db="/memory/swarm_memory.db"} 1.234567e+06
# HELP litestream_txid The current transaction ID
# TYPE litestream_txid gauge
litestream_txid{db="/memory/swarm_memory.db"} 42
`;
}
