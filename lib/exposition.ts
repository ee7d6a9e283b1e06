/** Labels of one sample; values are escaped when they are written out. */
export type Labels = Readonly<Record<string, string>>;

/** One number with its labels; `suffix` is only for the parts of a histogram. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  readonly suffix?: '_bucket' | '_sum' | '_count';
}

/** A metric with all its samples of one scrape. Counters carry their `_total`. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly Sample[];
}

/** The two forms a scrape can ask for, by their content types. */
export const TEXT_FORM = 'text/plain; version=0.0.4; charset=utf-8';
export const OPENMETRICS_FORM = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
export type ExpositionForm = typeof TEXT_FORM | typeof OPENMETRICS_FORM;

/**
 * The text of a scrape (Prometheus text format 0.0.4, OpenMetrics 1.0). Values that are no finite number are left out: an
 * undefined figure has no sample, and a family without samples is not mentioned.
 */
export function renderFamilies(families: readonly Family[], form: ExpositionForm): string {
  const isOpenMetrics = form === OPENMETRICS_FORM;
  // People read the text form too; OpenMetrics allows no empty line.
  const separator = isOpenMetrics ? '' : '\n';
  let text = '';
  for (const { name, help, type, samples } of families) {
    let lines = '';
    for (const { labels, value, suffix = '' } of samples) {
      if (Number.isFinite(value)) lines += `${name}${suffix}${renderLabels(labels)} ${value}\n`;
    }
    if (lines === '') continue;
    // OpenMetrics names a counter's family without the `_total` of its samples.
    const family = isOpenMetrics && type === 'counter' ? name.replace(/_total$/, '') : name;
    text += `${text === '' ? '' : separator}# HELP ${family} ${escaped(help)}\n# TYPE ${family} ${type}\n${lines}`;
  }
  return isOpenMetrics ? `${text}# EOF\n` : text;
}

/** A gauge family; samples with an undefined value are left out. */
export function gauge(name: string, help: string, samples: readonly LooseSample[]): Family {
  return { name, help, type: 'gauge', samples: definedSamples(samples) };
}

/** A counter family; its name ends in `_total`. */
export function counter(name: string, help: string, samples: readonly LooseSample[]): Family {
  return { name, help, type: 'counter', samples: definedSamples(samples) };
}

/** A value, perhaps with labels, perhaps not known. */
export type LooseSample = readonly [value: number | undefined, labels?: Labels];

const NO_LABELS: Labels = {};

function definedSamples(samples: readonly LooseSample[]): Sample[] {
  const defined: Sample[] = [];
  for (const [value, labels = NO_LABELS] of samples) if (value !== undefined) defined.push({ value, labels });
  return defined;
}

function renderLabels(labels: Labels): string {
  let pairs = '';
  for (const name in labels) pairs += `${pairs === '' ? '{' : ','}${name}="${escaped(labels[name])}"`;
  return pairs === '' ? '' : `${pairs}}`;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '"': '\\"' };

/** Our help texts hold no quotation marks, which only OpenMetrics would escape there. */
function escaped(text: string): string {
  return /[\\\n"]/.test(text) ? text.replace(/[\\\n"]/g, (character) => ESCAPES[character]) : text;
}
