import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ChannelConfig, Config } from '../../lib/config.ts';
import { findProjectFile } from '../../lib/project-file.ts';
import { writePrivateFile } from '../../lib/write-private.ts';
import { checkChannels, type MessageTemplates } from '../alertmanager/channels.ts';
import { chooseLinks, fillTemplate, type Links } from '../alertmanager/message.ts';
import { type AddCommand, loadCommandChannels, loadCommandConfig, printLines } from '../command.ts';

/** `swarm alertmanager-config`: Alertmanager expands no variables, so its configuration is made from the environment here. */
export const addAlertmanagerConfigCommand: AddCommand = (program) => {
  program
    .command('alertmanager-config')
    .description("make Alertmanager's configuration from the settings; the file holds secrets (mode 0600)")
    .requiredOption('--output <file>', 'where to write it')
    .action(async ({ output }: { output: string }) => {
      const config = loadCommandConfig();
      const channels = loadCommandChannels();
      checkChannels(channels);
      const { links, leftOut } = chooseLinks(config);
      // Loaded here only: `swarm up` has no use for a YAML library.
      const { renderAlertmanagerConfig } = await import('../alertmanager/render.ts');
      const template = readTemplate('alertmanager.yml');
      const messages = readMessages(config.language, links);
      writePrivateFile(resolve(output), renderAlertmanagerConfig(template, messages, channels, config.timezone));
      for (const variable of leftOut) warn(`${variable} points at this machine itself: no link to it on the phone.`);
      if (channels.telegramBotToken === undefined) {
        warn('NO ALERT WILL REACH A PHONE: set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID, then run this again.');
      }
      printLines([`Wrote ${output}. Channels: ${channelsThatAreOn(channels).join(', ') || 'none'}.`]);
    });
};

function readMessages(language: Config['language'], links: Links): MessageTemplates {
  const plain = readTemplate('plain.tmpl');
  return {
    telegram: fillTemplate(readTemplate('telegram.tmpl'), language, links, 'html'),
    slack: fillTemplate(plain, language, links, 'slack'),
    email: fillTemplate(plain, language, links, 'none'),
  };
}

function readTemplate(name: string): string {
  return readFileSync(findProjectFile(`alertmanager/${name}`), 'utf8');
}

function channelsThatAreOn(channels: ChannelConfig): string[] {
  const { telegramBotToken, slackWebhookUrl, alertEmailTo, healthchecksUrl } = channels;
  return Object.entries({
    Telegram: telegramBotToken,
    Slack: slackWebhookUrl,
    'e-mail': alertEmailTo,
    "dead man's switch": healthchecksUrl,
  }).flatMap(([name, setting]) => (setting === undefined ? [] : [name]));
}

function warn(text: string): void {
  process.stderr.write(`swarm: warning: ${text}\n`);
}
