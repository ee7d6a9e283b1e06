/** What sentences about what to repeat and to avoid are filled with. Money in US dollars; text is from outside. */
export interface RemarkFacts {
  readonly 'best-agent': { readonly agent: string; readonly success: number; readonly known: number };
  readonly 'success-rose': { readonly now: number; readonly before: number };
  readonly 'cost-fell': { readonly now: number; readonly before: number };
  readonly 'worked-alone': { readonly tasks: number; readonly hours: number };
  readonly 'lesson-works': { readonly lesson: string; readonly applied: number };
  readonly 'same-error': { readonly example: string; readonly count: number; readonly countBefore: number };
  readonly 'success-fell': { readonly now: number; readonly before: number };
  readonly 'paid-twice': { readonly usd: number; readonly share: number };
  readonly 'failed-dearly': { readonly usd: number; readonly share: number };
  readonly 'without-review': { readonly agent: string; readonly fixed: number; readonly tasks: number };
}

/** What suggestions are filled with, likewise. */
export interface ChangeFacts {
  readonly 'look-at-hooks': Readonly<Record<never, never>>;
  readonly 'write-lesson': { readonly example: string; readonly count: number };
  readonly 'smaller-budget': { readonly agent: string; readonly wastedUsd: number; readonly allWastedUsd: number };
  readonly 'help-agent': { readonly agent: string; readonly failed: number; readonly known: number };
  readonly 'review-agent': { readonly agent: string; readonly fixed: number; readonly tasks: number };
  readonly 'one-more-worker': { readonly hours: number; readonly share: number; readonly workers: number };
  readonly 'cheaper-model': { readonly model: string; readonly dearModel: string; readonly times: number };
  readonly 'smaller-tasks': { readonly slow: number; readonly withDuration: number };
  readonly 'fewer-retries': { readonly share: number };
  readonly 'use-lessons': { readonly count: number; readonly active: number };
  readonly 'use-queue': { readonly unknown: number; readonly tasks: number };
  readonly 'more-alone': { readonly tasks: number; readonly target: number };
}

/** A sentence about what to repeat or to avoid: its kind says which. */
export type Remark<Kind extends keyof RemarkFacts = keyof RemarkFacts> = Told<RemarkFacts, Kind>;

/** A suggestion, likewise. */
export type Change<Kind extends keyof ChangeFacts = keyof ChangeFacts> = Told<ChangeFacts, Kind>;

type Told<Facts, Kind extends keyof Facts> = { [K in Kind]: { readonly kind: K; readonly facts: Facts[K] } }[Kind];
