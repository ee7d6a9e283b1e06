import { parse, stringify } from 'yaml';
import type { ChannelConfig } from '../../lib/config.ts';
import { CHANNELS, type MessageTemplates } from './channels.ts';

interface Template {
  readonly receivers: readonly { readonly name: string; readonly channels: readonly string[] }[];
  readonly time_intervals: readonly { readonly name: string; readonly time_intervals: readonly object[] }[];
}

const HEAD = `# Made by "swarm alertmanager-config" from alertmanager/alertmanager.yml. It holds secrets: keep it readable by
# Alertmanager alone. Changes in here are lost the next time it is made.
`;

/**
 * Alertmanager's configuration: the template with its channels and its quiet hours filled in. It stands alone: the messages
 * are inside.
 * @throws Error if the template names a channel that does not exist.
 */
export function renderAlertmanagerConfig(
  template: string,
  messages: MessageTemplates,
  channels: ChannelConfig,
  timezone: string,
): string {
  const { receivers, time_intervals: intervals, ...rest } = parse(template) as Template;
  const inZone = intervals.map(({ name, time_intervals: each }) => ({
    name,
    time_intervals: each.map((interval) => ({ ...interval, location: timezone })),
  }));
  const quiet = {
    name: 'quiet-hours',
    time_intervals: [{ ...quietTimes(channels.quietHours), location: timezone }],
  };
  const configuration = {
    ...rest,
    time_intervals: [quiet, ...inZone],
    receivers: receivers.map(({ name, channels: names }) => ({
      name,
      ...Object.assign({}, ...names.map((each) => channelNamed(each)(channels, messages))),
    })),
  };
  // YAML 1.1, whose numbers to base 60 Go's parser still knows, makes it quote 22:30. No anchors, no folded lines.
  return HEAD + stringify(configuration, { aliasDuplicateObjects: false, lineWidth: 0, version: '1.1' });
}

function channelNamed(name: string) {
  const channel = CHANNELS[name];
  if (!channel) throw new Error(`alertmanager/alertmanager.yml names the channel "${name}", which does not exist.`);
  return channel;
}

/** Alertmanager's times may not cross midnight: such a night becomes two. From a time to itself is never. */
function quietTimes(quietHours: string): object {
  const [start, end] = quietHours.split('-');
  if (start === end) return { years: ['1970'] };
  if (start < end) return { times: [{ start_time: start, end_time: end }] };
  const evening = { start_time: start, end_time: '24:00' };
  return { times: end === '00:00' ? [evening] : [{ start_time: '00:00', end_time: end }, evening] };
}
