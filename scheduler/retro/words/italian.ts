import type { KpiOfRetro } from '../figures.ts';
import type { Say } from '../say.ts';
import type { ChangeSentences, RemarkSentences } from './sentences.ts';

const some = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;
const times = (count: number): string => (count === 1 ? 'una volta' : `${count} volte`);

function howMany(success: number, failed: number): string {
  if (failed === 0) return success === 1 ? 'riuscito' : 'tutti riusciti';
  if (success === 0) return failed === 1 ? 'fallito' : 'tutti falliti';
  return `${some(success, 'riuscito', 'riusciti')} e ${some(failed, 'fallito', 'falliti')}`;
}

/** The retrospective in Italian. */
export function italian(say: Say) {
  return {
    title: (days: string) => `Retrospettiva dello sciame: ${days}`,
    period: (from: string, until: string) => `Da ${from} a ${until}.`,
    demo: 'Dati di prova: questa memoria è inventata.',
    inShort: 'In breve.',
    noTasks: 'Nessun task in questi giorni.',
    lastTask: (day: string) => `L’ultimo è del ${day}.`,
    neverTasks: 'In questa memoria non ce n’è mai stato uno.',
    tasks: (count: number, perDay: string) => `${some(count, 'task', 'task')}, ${perDay} al giorno.`,
    outcomes: (success: number, failed: number, ratio: string) =>
      `Con esito noto ${some(success + failed, 'task', 'task')}: ${howMany(success, failed)} (${ratio} di successo).`,
    fewOutcomes: 'Troppo pochi perché la percentuale dica qualcosa.',
    unknown: (count: number) =>
      count === 1 ? 'Di un altro non si sa com’è andata.' : `Di altri ${count} non si sa com’è andata.`,
    noOutcomes: 'Di nessuno si sa com’è andata: il tasso di successo non è noto.',
    spent: (sum: string, wasted: string, share: string) => `Spesi ${sum}, di cui ${wasted} a vuoto (${share}).`,
    spentWell: (sum: string) => `Spesi ${sum}, niente a vuoto.`,
    saved: (hours: string) => `Tempo risparmiato: circa ${hours} ore.`,

    numbers: {
      heading: 'I numeri',
      now: (days: number) => (days === 7 ? 'Questa settimana' : days === 1 ? 'Questo giorno' : `Questi ${days} giorni`),
      change: 'Rispetto a prima',
      target: 'Obiettivo',
      notKnown: 'non noto',
      allNotKnown: (names: string) => `Non noti, perché la memoria non dice quello che serve: ${names}.`,
      beforeNotKnown: 'prima non noto',
      same: '= come prima',
      changed: (arrow: string, before: string) => `${arrow} da ${before}`,
      atLeast: (value: string) => (value === '100%' ? 'tutte' : `almeno ${value}`),
      atMost: (value: string) => (value === '0' ? 'nessuno' : `al massimo ${value}`),
      ofUnknown: (count: number) => `(${some(count, 'esito non noto', 'esiti non noti')})`,
      kpis: {
        tasks_per_day: 'Task al giorno',
        success_ratio: 'Successo',
        task_seconds_mean: 'Tempo medio',
        retry_ratio: 'Ritentati',
        fix_after_agent_ratio: 'Corretti da una persona',
        repeated_errors: 'Errori ripetuti',
        lessons_applied_ratio: 'Lezioni attive già applicate',
        tokens_per_task: 'Token per task',
        cost_eur_per_task: 'Costo per task',
        infra_cost_eur_month: 'Infrastruttura al mese',
        hours_saved_week: 'Ore risparmiate a settimana',
        autonomous_tasks_week: 'Task autonomi a settimana',
        geo_freedom_ratio: 'Libertà geo',
      } satisfies Record<KpiOfRetro['key'], string> as Record<KpiOfRetro['key'], string>,
    },

    agents: {
      heading: 'Quali api funzionano meglio?',
      columns: ['Ape', 'Task', 'Riusciti', 'Falliti', 'Non noti', 'Corretti', 'Tempo medio', 'Costo'],
      others: (count: number) => `altre ${count}`,
      best: (items: string) => `**Lavora meglio:** ${items}.`,
      bestItem: (agent: string, success: number, known: number) => `${agent} (${success} su ${known})`,
      next: 'poi',
      noBest: 'Nessuna spicca: per dirlo servono almeno 5 esiti noti e niente da migliorare.',
      inNeed: (items: string) => `**Ha bisogno d’aiuto:** ${items}.`,
      failures: (count: number, of: number) => `${some(count, 'fallito', 'falliti')} su ${of} esiti noti`,
      fixes: (count: number, of: number) => `${count} corretti su ${of}`,
      retries: (count: number, of: number) => `${count} ritentati su ${of}`,
      slow: (mean: string) => `${mean} a task`,
      waste: (wasted: string, all: string) => `${wasted} a vuoto su ${all} spesi`,
      unjudged: (count: number) =>
        count === 1
          ? 'Di un’ape si conoscono meno di 5 esiti: troppo pochi per giudicarla.'
          : `Di ${count} api si conoscono meno di 5 esiti: troppo pochi per giudicarle.`,
      queued: (success: number, known: number, ratio: string) =>
        `Dalla coda, dove ogni esito è scritto: ${success} riusciti su ${known} (${ratio}).`,
      hooks: 'Gli hook segnano riuscito ogni task che torna, comunque sia andato.',
    },

    errors: {
      heading: 'Errori',
      none: 'Nessuno.',
      notKnown: 'Non noti: questa memoria non scrive i messaggi di errore.',
      count: (count: number, kinds: number, before: number) =>
        `${some(count, 'errore', 'errori')} di ${some(kinds, 'tipo', 'tipi')} (prima ${before}).`,
      item: (example: string, count: number, past: string, agents: string) =>
        `${example}: ${times(count)}, ${past} (${agents})`,
      isNew: 'mai visto prima d’ora',
      before: (count: number) => (count === 0 ? 'prima nessuna' : `prima ${count === 1 ? 'una' : count}`),
      once: (count: number) =>
        count === 1 ? 'Un altro è capitato una volta sola.' : `Altri ${count} sono capitati una volta sola.`,
    },

    lessons: {
      heading: 'Lezioni',
      none: 'Questa memoria non ha lezioni.',
      written: (count: number) =>
        count === 0 ? 'Nessuna lezione nuova.' : `${some(count, 'lezione nuova', 'lezioni nuove')}:`,
      applied: (count: number) =>
        count === 0
          ? 'Nessuna applicata in questi giorni.'
          : `${some(count, 'applicata', 'applicate')} in questi giorni; le più usate:`,
      neverApplied: (count: number, active: number) =>
        count === 0
          ? `Tutte le ${active} attive sono già servite.`
          : count === active
            ? `Nessuna delle ${active} attive è mai servita:`
            : `${count} delle ${active} attive non ${count === 1 ? 'è mai servita' : 'sono mai servite'}:`,
      times: (count: number) => `${times(count)} in tutto`,
      severities: { CRITICAL: 'critica', HIGH: 'grave' } as Readonly<Record<string, string>>,
    },

    costs: {
      heading: 'Costi',
      notKnown: 'Non noti: in questa memoria nessuno scrive i costi.',
      none: 'Nessun costo scritto in questi giorni.',
      spent: (sum: string, tasks: number, each: string) =>
        `Spesi ${sum} per ${some(tasks, 'task', 'task')}, ${each} l’uno`,
      before: (sum: string, tasks: number) => `prima ${sum} per ${tasks}`,
      wasted: (sum: string, share: string, parts: string) => `A vuoto ${sum} (${share}): ${parts}.`,
      wastedParts: {
        failed: (sum: string) => `${sum} in task falliti`,
        retried: (sum: string) => `${sum} in tentativi poi ripetuti`,
      },
      nothingWasted: 'Niente a vuoto.',
      byAgent: (items: string) => `Per ape: ${items}.`,
      byModel: (items: string) => `Per modello: ${items}.`,
      others: (count: number, sum: string) => (count === 1 ? `un’altra ${sum}` : `le altre ${count} insieme ${sum}`),
      ofTasks: (tasks: number) => `(${some(tasks, 'task', 'task')})`,
      estimate: 'Se paga un abbonamento, è una stima a prezzi di listino.',
    },

    time: {
      heading: 'Dove perdiamo tempo?',
      notKnown: 'Non si può dire: nessun task ha una durata scritta.',
      known: (withDuration: number, tasks: number, total: string) =>
        `Durata nota per ${withDuration} task su ${tasks}: ${total} di lavoro`,
      failed: (total: string) => `, di cui ${total} in task poi falliti`,
      slow: (count: number) => (count === 0 ? 'Nessuno oltre i 10 minuti.' : `Oltre i 10 minuti: ${count}.`),
      longest: 'I più lunghi:',
      task: (duration: string, agent: string, project: string) => `${duration}, ${agent} su ${project}`,
      outcomes: { success: 'riuscito', failed: 'fallito', unknown: 'esito non noto' },
      retried: (count: number) =>
        count === 0 ? 'nessun task ritentato' : some(count, 'task ritentato', 'task ritentati'),
      fixed: (count: number) =>
        count === 0 ? 'nessuno corretto da una persona' : `${some(count, 'corretto', 'corretti')} da una persona`,
    },

    workers: {
      heading: 'Servono più api?',
      notKnown: 'Non si può dire: nessun task della coda ha una durata.',
      yes: (places: number, full: string, share: string) =>
        `Forse sì: ${places === 1 ? 'l’unico posto è stato occupato' : `i ${places} posti sono stati tutti occupati`} per ${full}, il ${share} del tempo in cui la coda ha lavorato.`,
      no: (places: number, all: string) =>
        places === 1
          ? `Per ora no: la coda ha lavorato ${all}, e un posto è bastato.`
          : `Per ora no: la coda ha lavorato ${all}, e i ${places} posti non sono mai stati occupati insieme.`,
      hardly: (places: number, full: string, all: string) =>
        `Per ora no: la coda ha lavorato ${all}, e solo per ${full} i ${places} posti sono stati occupati insieme.`,
      estimate: 'Stima dalle durate.',
    },

    headings: {
      repeat: 'Da ripetere',
      avoid: 'Da evitare',
      change: 'Suggerimenti',
      steps: 'Prossimi passi',
    },
    nothingToRepeat: 'Ancora niente: servono più esiti noti per dirlo.',
    nothingToAvoid: 'Niente di particolare.',
    nothingToChange: 'Nessuno, con quello che si sa.',
    noSteps: 'Niente di particolare.',

    remarks: {
      'best-agent': ({ agent, success, known }) =>
        `Dare lavoro a ${agent}: ${success} task riusciti su ${known} con esito noto.`,
      'success-rose': ({ now, before }) =>
        `Quello che ha funzionato: il successo è salito dal ${say.percent(before)} al ${say.percent(now)}.`,
      'cost-fell': ({ now, before }) => `Spendere così: un task costa ${say.eurOf(now)}, prima ${say.eurOf(before)}.`,
      'worked-alone': ({ tasks, hours }) =>
        `Lasciar lavorare lo sciame da solo: ${say.number(tasks)} task senza nessuno davanti, circa ${say.number(hours, 1)} ore risparmiate.`,
      'lesson-works': ({ lesson, applied }) =>
        `Tenere viva la lezione su ${lesson}: è servita ${times(applied)} in tutto.`,
      'same-error': ({ example, count, countBefore }) =>
        `Inciampare di nuovo in ${example}: ${times(count)}${countBefore > 0 ? `, e prima ${times(countBefore)}` : ''}.`,
      'success-fell': ({ now, before }) =>
        `Andare avanti come niente fosse: il successo è sceso dal ${say.percent(before)} al ${say.percent(now)}.`,
      'paid-twice': ({ usd, share }) =>
        `Pagare due volte lo stesso task: ${say.eurOf(usd)} in tentativi poi ripetuti, il ${say.percent(share)} della spesa.`,
      'failed-dearly': ({ usd, share }) =>
        `Pagare task che poi falliscono: ${say.eurOf(usd)}, il ${say.percent(share)} della spesa.`,
      'without-review': ({ agent, fixed, tasks }) =>
        `Prendere per buono il lavoro di ${agent} senza guardarlo: ${fixed} task su ${tasks} sono stati corretti.`,
    } satisfies RemarkSentences,

    changes: {
      'look-at-hooks': () => ({
        what: 'Se doveva esserci lavoro, controllare che gli hook scrivano ancora.',
        why: 'Non è arrivato nemmeno un task.',
        step: 'Lanciare `swarm doctor` e guardare gli hook',
      }),
      'write-lesson': ({ example, count }) => ({
        what: 'Scrivere una lezione sull’errore più frequente.',
        why: `È tornato ${times(count)}, sempre uguale.`,
        step: `Scrivere la lezione su ${example}`,
      }),
      'smaller-budget': ({ agent, wastedUsd, allWastedUsd }) => ({
        what: `Dare a ${agent} un budget più piccolo o un altro modello.`,
        why:
          wastedUsd === allWastedUsd
            ? `Sono suoi tutti i ${say.eurOf(allWastedUsd)} andati a vuoto.`
            : `Sono suoi ${say.eurOf(wastedUsd)} dei ${say.eurOf(allWastedUsd)} andati a vuoto.`,
        step: `Provare ${agent} con \`--budget-usd\` più basso o un altro \`--model\``,
      }),
      'help-agent': ({ agent, failed, known }) => ({
        what: `Aiutare ${agent} prima di darle altro lavoro.`,
        why:
          failed === known
            ? `Tutti i suoi ${known} esiti noti sono fallimenti.`
            : `${failed} dei suoi ${known} esiti noti sono fallimenti.`,
        step: `Leggere i task falliti di ${agent} e dargliene di più piccoli`,
      }),
      'review-agent': ({ agent, fixed, tasks }) => ({
        what: `Far rivedere il lavoro di ${agent}.`,
        why: `${fixed} dei suoi ${tasks} task sono stati corretti da una persona.`,
        step: `Far seguire ai task di ${agent} una revisione di \`cervella-reviewer\``,
      }),
      'one-more-worker': ({ hours, share, workers }) => ({
        what: 'Aggiungere un posto di lavoro.',
        why: `Tutti occupati per ${say.number(hours, 1)} ore, il ${say.percent(share)} del tempo di lavoro.`,
        step: `Portare \`WORKERS_MAX\` da ${workers} a ${workers + 1}, se la macchina ha memoria libera`,
      }),
      'cheaper-model': ({ model, dearModel, times: factor }) => ({
        what: `Usare più spesso ${model}.`,
        why: `A task costa ${say.number(factor, 1)} volte meno di ${dearModel}, e non fallisce di più (su task forse diversi).`,
        step: `Provare ${model} sui task semplici`,
      }),
      'smaller-tasks': ({ slow, withDuration }) => ({
        what: 'Dividere i task lunghi.',
        why: `Con durata nota, ${slow} su ${withDuration} hanno superato i 10 minuti.`,
        step: 'Spezzare i prossimi task lunghi in passi da meno di 10 minuti',
      }),
      'fewer-retries': ({ share }) => ({
        what: 'Capire perché si ritenta.',
        why: `Il ${say.percent(share)} dei task ha avuto bisogno di più di un tentativo.`,
        step: 'Guardare gli errori dei task ritentati con `swarm trace`',
      }),
      'use-lessons': ({ count, active }) => ({
        what: 'Ripassare le lezioni mai usate.',
        why: `Delle ${active} attive, ${count} non sono mai servite: o nessuno le vede, o sono superate.`,
        step: 'Scorrere le lezioni con `swarm lessons` e chiudere quelle superate',
      }),
      'use-queue': ({ unknown, tasks }) => ({
        what: 'Far passare più lavoro dalla coda.',
        why: `Di ${unknown} task su ${tasks} non si sa com’è andata; dalla coda esito, tempo e costo sono sempre scritti.`,
        step: 'Mettere in coda i prossimi task con `swarm enqueue`',
      }),
      'more-alone': ({ tasks, target }) => ({
        what: 'Lasciare più lavoro allo sciame, di notte.',
        why: `${tasks === 0 ? 'Nessun task' : `Solo ${say.number(tasks, 1)} task`} in autonomia, l’obiettivo è ${target}.`,
        step: 'Preparare qualche task per la notte con `swarm enqueue`',
      }),
    } satisfies ChangeSentences,

    short: {
      tasks: (count: number, perDay: string) => `${some(count, 'task', 'task')} (${perDay} al giorno)`,
      success: (success: number, known: number, ratio: string, unknown: number) =>
        `Riusciti ${success} su ${known} con esito noto (${ratio})${unknown > 0 ? `; ${unknown} senza esito` : ''}`,
      before: (tasks: number, parts: { readonly ratio: string | undefined; readonly sum: string | undefined }) =>
        [
          `Prima: ${some(tasks, 'task', 'task')}`,
          ...(parts.ratio === undefined ? [] : [`successo ${parts.ratio}`]),
          ...(parts.sum === undefined ? [] : [`spesi ${parts.sum}`]),
        ].join(', '),
      geo: (share: string, before: string) => `Libertà geo: ${share}${before === share ? '' : ` (prima ${before})`}`,
      best: (agent: string) => `Meglio: ${agent}`,
      inNeed: (agent: string, reason: string) => `Da aiutare: ${agent}, ${reason}`,
      error: (example: string, count: number) => `Errore più frequente (${times(count)}): ${example}`,
      steps: 'Prossimi passi:',
    },
  };
}
