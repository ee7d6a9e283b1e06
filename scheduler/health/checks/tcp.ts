import { same } from '../../words.ts';
import { type CheckFunction, down, up } from '../check.ts';
import { explainConnectionError, openConnection } from '../connection.ts';

/** Whether somebody listens on a port. */
export const checkTcp: CheckFunction<'tcp'> = async ({ host, port }, { signal }) => {
  try {
    const socket = await openConnection({ host, port }, signal);
    socket.destroy();
    return up(same(`${host}:${port}`));
  } catch (error) {
    return down(explainConnectionError(error));
  }
};
