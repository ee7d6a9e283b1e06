/** A name that is handed to a program as an argument: nothing that could be read as an option, nothing a terminal obeys. */
export const ARGUMENT_NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_.:@/-]{0,99}$/u;
export const ARGUMENT_NAME_EXPECTED =
  'expected a name of letters, digits and . _ : @ / -, 100 characters at most, beginning with a letter, a digit or _';

/** The name of a model, likewise; it may end like `sonnet[1m]`. */
export const MODEL_NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_.:@/[\]-]{0,99}$/u;
export const MODEL_NAME_EXPECTED = 'expected the name of a model, such as claude-sonnet-4-5';
