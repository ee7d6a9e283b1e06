/** The languages people read. */
export const LANGUAGES = ['it', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

/** One thing to say in every language: Telegram's HTML with {placeholders}. */
export type Words = Readonly<Record<Language, string>>;
