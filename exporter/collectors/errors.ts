import { gauge } from '../../lib/exposition.ts';
import { newSignatures, repeatedErrors } from '../../lib/memory/error-figures.ts';
import { WINDOWS } from '../../lib/memory/windows.ts';
import type { Collector } from '../collector.ts';

/** Kinds of error, told apart by their masked message; absent where the memory keeps no error messages. */
export const errorsCollector: Collector = {
  name: 'errors',
  collect: ({ memory }) => {
    if (!memory.schema.events.has('error_message')) return [];
    const { errors } = memory.tally;
    return [
      gauge(
        'swarm_window_new_error_signatures',
        'Kinds of error seen in the window and never before it.',
        WINDOWS.map(({ name }, index) => [newSignatures(errors, index), { window: name }]),
      ),
      gauge(
        'swarm_window_repeated_errors',
        'Kinds of error seen twice or more in the window.',
        WINDOWS.map(({ name }, index) => [repeatedErrors(errors, index), { window: name }]),
      ),
    ];
  },
};
