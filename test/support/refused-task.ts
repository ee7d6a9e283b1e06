import { Queue, Worker } from 'bullmq';
import type { RefusedCall } from '../../lib/queue/refused-call.ts';
import type { EndResult } from '../../lib/queue/result.ts';
import { beginTask } from '../../lib/queue/task-state.ts';
import { tellEnds } from '../../orchestrator/recorder/tell-ends.ts';
import { finishTask } from '../lib/queue/task-steps.ts';
import type { PhoneScene } from './phone-scene.ts';
import { endResult } from './result-values.ts';

/** The task that is next ends because its agent was refused these calls, and people are told as the recorder tells them. */
export async function refuseNext(
  { redis, notify }: PhoneScene,
  refused: RefusedCall[],
  more: Partial<EndResult> = {},
): Promise<string> {
  const options = { connection: redis.client, prefix: 'swarm' };
  const worker = new Worker('swarm-tasks', null, { ...options, autorun: false });
  const job = await worker.getNextJob('token');
  await worker.close();
  const id = String(job?.id);
  const { generation, progress } = await beginTask(redis.client, id);
  const error = 'It was refused the use of Bash, so its work may be incomplete.';
  const end = endResult({
    ...{ taskId: id, project: 'acme', round: progress.round, outcome: 'needs-attention', error, refused },
    ...{ prompt: 'Installa <tutto>', costUsd: 0.25, branch: `swarm/${id}`, ...more },
  });
  await finishTask(redis.client, { id, generation }, { ...progress, runs: 1, refused }, end);
  const bull = new Queue('swarm-tasks', options);
  await (await bull.getJob(id))?.moveToFailed(new Error('it failed'), 'token', false);
  await bull.close();
  await notify(...tellEnds([end]));
  return id;
}
