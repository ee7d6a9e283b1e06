/** What of INFO matters to us; undefined is what this Redis does not tell. */
export interface RedisInfo {
  readonly usedMemoryBytes: number | undefined;
  /** 0 without a limit. */
  readonly maxMemoryBytes: number | undefined;
  readonly clients: number | undefined;
  readonly evictionPolicy: string | undefined;
  readonly isAofOn: boolean | undefined;
  /** The append-only file is on, and its last write went well. */
  readonly isPersistent: boolean | undefined;
}

/** Reads the text of INFO. */
export function parseRedisInfo(text: string): RedisInfo {
  const fields = new Map(
    text.split(/\r?\n/).map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1)] as const;
    }),
  );
  const number = (name: string): number | undefined => {
    const value = fields.get(name);
    return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
  };
  const aof = number('aof_enabled');
  return {
    usedMemoryBytes: number('used_memory'),
    maxMemoryBytes: number('maxmemory'),
    clients: number('connected_clients'),
    evictionPolicy: fields.get('maxmemory_policy'),
    isAofOn: aof === undefined ? undefined : aof === 1,
    isPersistent: aof === undefined ? undefined : aof === 1 && fields.get('aof_last_write_status') !== 'err',
  };
}

/** Why tasks must not be entrusted to this Redis; undefined if they may. */
export function findRedisFault({ evictionPolicy, isAofOn }: RedisInfo): string | undefined {
  if (evictionPolicy !== undefined && evictionPolicy !== 'noeviction') {
    return `Redis may throw tasks away: its maxmemory-policy is "${evictionPolicy}". Start it with --maxmemory-policy noeviction.`;
  }
  if (isAofOn === false) {
    return 'Redis would forget every task at a restart: its append-only file is off. Start it with --appendonly yes.';
  }
  return undefined;
}
