import { Registry } from 'prom-client';

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

/** The two forms a scrape can ask for. */
export const TEXT_FORM = Registry.PROMETHEUS_CONTENT_TYPE;
export const OPENMETRICS_FORM = Registry.OPENMETRICS_CONTENT_TYPE;
export type ExpositionForm = typeof TEXT_FORM | typeof OPENMETRICS_FORM;

/**
 * The text of a scrape. Values that are no finite number are left out: an undefined figure has no sample. This is the one
 * place that knows prom-client, whose registry is made anew each time, so that nothing of an earlier scrape can stay.
 */
export async function renderFamilies(families: readonly Family[], form: ExpositionForm): Promise<string> {
  const registry = new Registry<ExpositionForm>();
  registry.setContentType(form);
  for (const family of families) {
    const values = family.samples
      .filter((sample) => Number.isFinite(sample.value))
      .map(({ labels, value, suffix }) => ({
        labels,
        value,
        metricName: suffix ? `${family.name}${suffix}` : undefined,
      }));
    if (values.length === 0) continue;
    const { name, help, type } = family;
    // The registry renames counters for OpenMetrics on the object it is given, so that object must be what `get` returns.
    const metric = { name, help, type, values, aggregator: 'sum', get: async () => metric };
    registry.registerMetric(metric as never);
  }
  return await registry.metrics();
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

function definedSamples(samples: readonly LooseSample[]): Sample[] {
  return samples.flatMap(([value, labels = {}]) => (value === undefined ? [] : [{ value, labels }]));
}
