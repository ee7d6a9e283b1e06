import { github } from './github.ts';
import { createOutboxPart } from './outbox.ts';
import type { Part } from './part.ts';
import { createTelegramParts } from './telegram.ts';

/** Every part, in the order in which they are started. To add one: a file here, and a line below. */
export const PARTS: readonly Part[] = [github, createOutboxPart(), ...createTelegramParts()];
