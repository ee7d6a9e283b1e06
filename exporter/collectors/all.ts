import type { Collector } from '../collector.ts';
import { databaseCollector } from './database.ts';
import { durationsCollector } from './durations.ts';
import { errorsCollector } from './errors.ts';
import { inProgressCollector } from './in-progress.ts';
import { kpisCollector } from './kpis.ts';
import { lessonsCollector } from './lessons.ts';
import { patternsCollector } from './patterns.ts';
import { shippingCollector } from './shipping.ts';
import { tasksCollector } from './tasks.ts';
import { usageCollector } from './usage.ts';
import { windowsCollector } from './windows.ts';

/** Every collector, in the order of the exposition. To add one: a file beside this one, and a line here. */
export const COLLECTORS: readonly Collector[] = [
  tasksCollector,
  inProgressCollector,
  windowsCollector,
  durationsCollector,
  errorsCollector,
  lessonsCollector,
  patternsCollector,
  usageCollector,
  kpisCollector,
  databaseCollector,
  shippingCollector,
];
