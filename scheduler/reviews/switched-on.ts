import type { Settings } from '../settings.ts';

/** Why nothing is reviewed; undefined if it is. */
export function reasonGithubIsOff({ scheduler }: Settings): string | undefined {
  const missing = [
    ...(scheduler.githubWebhookSecret === undefined ? ['GITHUB_WEBHOOK_SECRET'] : []),
    ...(scheduler.githubToken === undefined ? ['GITHUB_TOKEN'] : []),
  ];
  if (missing.length > 0) return `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not set`;
  return scheduler.reviewsPerDay === 0 ? 'REVIEWS_PER_DAY is 0' : undefined;
}

/** Every secret this process knows: none of them may stand in what is posted. */
export function secretsOf({ config, scheduler, work, channels }: Settings): readonly string[] {
  const known = [
    ...[scheduler.githubToken, scheduler.githubWebhookSecret, scheduler.backupPassphrase],
    ...[work.redisPassword, config.adminPassword],
    ...(typeof channels === 'string'
      ? []
      : [channels.telegramBotToken, channels.healthchecksUrl, channels.slackWebhookUrl, channels.smtpUrl]),
  ];
  return known.filter((secret) => secret !== undefined);
}
