/** One step of the tables of monitor.db; once it has been on somebody's disk it is never changed, only followed by another. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}
