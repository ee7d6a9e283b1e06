import { z } from 'zod';
import { OUTCOMES } from './outcome.ts';
import { MOST_CALLS, refusedCallSchema } from './refused-call.ts';
import { reviewAnswerSchema } from './review.ts';
import { batchId, MOST_ROWS, machineName, origin, shippedRowSchema } from './shipped-row.ts';

const text = z.string().max(200_000);
const count = z.int().min(0);
const moment = z.iso.datetime();

const tokens = z.strictObject({ input: count, output: count, cacheRead: count, cacheCreation: count });
export type Tokens = z.infer<typeof tokens>;

/** What one attempt has cost with one model so far, over all its runs: a row of task_usage. */
const usage = z.strictObject({
  attempt: z.int().min(1),
  model: z.string().max(200),
  tokens,
  costUsd: z.number().min(0),
  turns: count,
  endedAt: moment,
});
export type Usage = z.infer<typeof usage>;

const common = {
  version: z.literal(1),
  taskId: z.string().max(64),
  agent: z.string().max(200),
  project: z.string().max(200),
  source: z.string().max(32),
};

/** A task is over: one row in the memory, whatever became of it. */
const endSchema = z.strictObject({
  ...common,
  kind: z.literal('end'),
  /** 0, and one more each time a person had it tried again after its end. */
  round: count,
  prompt: text,
  outcome: z.enum(OUTCOMES),
  error: text.optional(),
  /** Runs of agents that used an attempt, or would have. */
  attempts: count,
  /** Time of agents, all attempts of this round. */
  durationMs: count,
  sessionId: z.string().max(200).optional(),
  parentTaskId: z.string().max(200).optional(),
  /** No person was needed for it. */
  isAutonomous: z.boolean(),
  model: z.string().max(200).optional(),
  costUsd: z.number().min(0),
  tokens,
  turns: count,
  branch: z.string().max(300).optional(),
  /** Of a review; whoever asked for it takes it from here. */
  answer: reviewAnswerSchema.optional(),
  /** What its agent was refused; whoever talks to people asks whether it may. Never of a review. */
  refused: z.array(refusedCallSchema).max(MOST_CALLS).optional(),
  endedAt: moment,
  usage: z.array(usage),
});
export type EndResult = z.infer<typeof endSchema>;

/** An attempt failed and will be made again. */
const retrySchema = z.strictObject({
  ...common,
  kind: z.literal('retry'),
  attempt: z.int().min(1),
  prompt: text,
  outcome: z.enum(OUTCOMES),
  error: text.optional(),
  durationMs: count,
  sessionId: z.string().max(200).optional(),
  endedAt: moment,
  usage: z.array(usage),
});

/** What a run cost that is neither an end nor a retry: it was given back, or came too late. */
const usageSchema = z.strictObject({ ...common, kind: z.literal('usage'), usage: z.array(usage) });

/** Somebody had to mend what a task did. */
const fixSchema = z.strictObject({
  version: z.literal(1),
  kind: z.literal('fix'),
  /** Of the task, or of any ending row of the memory. */
  id: z.string().min(1).max(200),
  note: z.string().max(2_000).optional(),
  at: moment,
});

/** Rows of another machine's memory have arrived; without any it only says that all there is has arrived before. */
const shippedSchema = z.strictObject({
  version: z.literal(1),
  kind: z.literal('shipped'),
  origin,
  machine: machineName,
  batch: batchId,
  at: moment,
  rows: z.array(shippedRowSchema).max(MOST_ROWS),
});
export type ShippedResult = z.infer<typeof shippedSchema>;

/** What the recorder writes: the payload of an entry on the stream of results. */
export const resultSchema = z.discriminatedUnion('kind', [
  endSchema,
  retrySchema,
  usageSchema,
  fixSchema,
  shippedSchema,
]);
export type Result = z.infer<typeof resultSchema>;
