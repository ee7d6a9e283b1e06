import { duration, fitLines, type Language, type Words } from '../words.ts';
import type { Change } from './results.ts';

const LONGEST_REASON = 160;

/** What has changed, one line for each check, faults first, at most `maxLength` characters. */
export function describeChanges(changes: readonly Change[], language: Language, maxLength: number): string {
  const faultsFirst = changes.toSorted((a, b) => Number(a.to === 'up') - Number(b.to === 'up'));
  const lines = faultsFirst.map((change) => describeChange(change)[language]);
  return fitLines(lines, maxLength, (count) => (language === 'it' ? `… e altri ${count}` : `… and ${count} more`));
}

function describeChange({ outcome: { project, check, text }, to, lastedMs }: Change): Words {
  const lasted = lastedMs === undefined ? undefined : duration(lastedMs);
  const name = `${project}, ${check}`;
  if (to === 'up') {
    return {
      it: `✅ ${name}: di nuovo a posto${lasted ? ` dopo ${lasted.it}` : ''} (${cut(text.it)})`,
      en: `✅ ${name}: up again${lasted ? ` after ${lasted.en}` : ''} (${cut(text.en)})`,
    };
  }
  return {
    it: `❌ ${name}: non va: ${cut(text.it)}${lasted ? `; andava da ${lasted.it}` : ''}`,
    en: `❌ ${name}: down: ${cut(text.en)}${lasted ? `; it had been up for ${lasted.en}` : ''}`,
  };
}

function cut(text: string): string {
  return text.length > LONGEST_REASON ? `${text.slice(0, LONGEST_REASON - 1)}…` : text;
}
