import { statfs } from 'node:fs/promises';
import { bytes } from '../../words.ts';
import { type CheckFunction, down, unavailable, up } from '../check.ts';

/** Whether there is room on the disk a project lies on. */
export const checkDisk: CheckFunction<'disk'> = async ({ minFreeGb }, { projectPath }) => {
  let freeBytes: number;
  try {
    const { bavail, bsize } = await statfs(projectPath);
    freeBytes = bavail * bsize;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    return unavailable({
      it: `la cartella non è leggibile qui (${code})`,
      en: `its folder cannot be read here (${code})`,
    });
  }
  const { it, en } = bytes(freeBytes);
  return (freeBytes < minFreeGb * 1e9 ? down : up)({ it: `${it} liberi`, en: `${en} free` }, { freeBytes });
};
