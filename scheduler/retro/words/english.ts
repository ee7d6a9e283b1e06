import type { Say } from '../say.ts';
import type { Words } from './words.ts';

const some = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;
const times = (count: number): string => (count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`);

/** The retrospective in English. */
export function english(say: Say): Words {
  return {
    title: (days) => `Retrospective of the swarm: ${days}`,
    period: (from, until) => `From ${from} to ${until}.`,
    demo: 'Demo data: this memory is made up.',
    inShort: 'In short.',
    noTasks: 'No tasks in these days.',
    lastTask: (day) => `The last one ended on ${day}.`,
    neverTasks: 'There has never been one in this memory.',
    tasks: (count, perDay) => `${some(count, 'task')}, ${perDay} a day.`,
    outcomes: (success, failed, ratio) =>
      `Of ${some(success + failed, 'task')} the outcome is known: ${success} succeeded and ${failed} failed (${ratio} success).`,
    fewOutcomes: 'Too few for the percentage to say much.',
    unknown: (count) => `How ${count === 1 ? 'another one' : `${count} others`} went, nobody knows.`,
    noOutcomes: 'How they went, nobody knows: the success rate is not known.',
    spent: (sum, wasted, share) => `Spent ${sum}, ${wasted} of it in vain (${share}).`,
    spentWell: (sum) => `Spent ${sum}, nothing in vain.`,
    saved: (hours) => `Time saved: about ${hours} hours.`,

    numbers: {
      heading: 'The figures',
      now: (days) => (days === 7 ? 'This week' : days === 1 ? 'This day' : `These ${days} days`),
      change: 'Against before',
      target: 'Target',
      notKnown: 'not known',
      allNotKnown: (names) => `Not known, since the memory does not hold what it takes: ${names}.`,
      beforeNotKnown: 'not known before',
      same: '= as before',
      changed: (arrow, before) => `${arrow} from ${before}`,
      atLeast: (value) => (value === '100%' ? 'all' : `at least ${value}`),
      atMost: (value) => (value === '0' ? 'none' : `at most ${value}`),
      ofUnknown: (count) => `(${some(count, 'unknown outcome')})`,
      kpis: {
        tasks_per_day: 'Tasks a day',
        success_ratio: 'Success',
        task_seconds_mean: 'Mean time',
        retry_ratio: 'Retried',
        fix_after_agent_ratio: 'Mended by a person',
        repeated_errors: 'Repeated errors',
        lessons_applied_ratio: 'Active lessons ever applied',
        tokens_per_task: 'Tokens a task',
        cost_eur_per_task: 'Cost of a task',
        infra_cost_eur_month: 'Infrastructure a month',
        hours_saved_week: 'Hours saved a week',
        autonomous_tasks_week: 'Autonomous tasks a week',
        geo_freedom_ratio: 'Geo freedom',
      },
    },

    agents: {
      heading: 'Which agents work best?',
      columns: ['Agent', 'Tasks', 'Succeeded', 'Failed', 'Unknown', 'Mended', 'Mean time', 'Cost'],
      others: (count) => `${count} others`,
      best: (items) => `**Works best:** ${items}.`,
      bestItem: (agent, success, known) => `${agent} (${success} of ${known})`,
      next: 'then',
      noBest: 'Nobody stands out: that takes at least 5 known outcomes and nothing to improve.',
      inNeed: (items) => `**Needs help:** ${items}.`,
      failures: (count, of) => `${count} of ${of} known outcomes failed`,
      fixes: (count, of) => `${count} of ${of} mended`,
      retries: (count, of) => `${count} of ${of} retried`,
      slow: (mean) => `${mean} a task`,
      waste: (wasted, all) => `${wasted} of ${all} in vain`,
      unjudged: (count) =>
        `Of ${some(count, 'agent')} fewer than 5 outcomes are known: too few to judge ${count === 1 ? 'it' : 'them'}.`,
      queued: (success, known, ratio) =>
        `From the queue, where every outcome is written down: ${success} of ${known} succeeded (${ratio}).`,
      hooks: 'Hooks call every task that returns a success, however it went.',
    },

    errors: {
      heading: 'Errors',
      none: 'None.',
      notKnown: 'Not known: nobody writes messages of errors into this memory.',
      count: (count, kinds, before) => `${some(count, 'error')} of ${some(kinds, 'kind')} (${before} before).`,
      item: (example, count, past, agents) => `${example}: ${times(count)}, ${past} (${agents})`,
      isNew: 'never seen before',
      before: (count) => (count === 0 ? 'not in the days before' : `${times(count)} before`),
      once: (count) => (count === 1 ? 'Another one occurred once.' : `Another ${count} occurred once each.`),
    },

    lessons: {
      heading: 'Lessons',
      none: 'This memory has no lessons.',
      written: (count) => (count === 0 ? 'No new lesson.' : `${some(count, 'new lesson')}:`),
      applied: (count) =>
        count === 0 ? 'None was applied in these days.' : `${count} applied in these days; most often:`,
      neverApplied: (count, active) =>
        count === 0
          ? `All ${active} active ones have been of use.`
          : `${count} of ${active} active ones ${count === 1 ? 'was' : 'were'} never of use:`,
      times: (count) => `${times(count)} in all`,
      severities: { CRITICAL: 'critical', HIGH: 'grave' },
    },

    costs: {
      heading: 'Costs',
      notKnown: 'Not known: nobody writes costs into this memory.',
      none: 'No cost is written down for these days.',
      spent: (sum, tasks, each) => `Spent ${sum} on ${some(tasks, 'task')}, ${each} each`,
      before: (sum, tasks) => `${sum} on ${tasks} before`,
      wasted: (sum, share, parts) => `In vain ${sum} (${share}): ${parts}.`,
      wastedParts: {
        failed: (sum) => `${sum} on tasks that failed`,
        retried: (sum) => `${sum} on attempts that were repeated`,
      },
      nothingWasted: 'Nothing in vain.',
      byAgent: (items) => `By agent: ${items}.`,
      byModel: (items) => `By model: ${items}.`,
      others: (count, sum) => (count === 1 ? `another ${sum}` : `${count} others together ${sum}`),
      ofTasks: (tasks) => `(${some(tasks, 'task')})`,
      estimate: 'If a subscription pays, this is an estimate at list price.',
    },

    time: {
      heading: 'Where do we lose time?',
      notKnown: 'Nobody can say: no task has a duration.',
      known: (withDuration, tasks, total) =>
        `Duration known for ${withDuration} of ${some(tasks, 'task')}: ${total} of work`,
      failed: (total) => `, ${total} of it on tasks that failed`,
      slow: (count) => (count === 0 ? 'None above 10 minutes.' : `Above 10 minutes: ${count}.`),
      longest: 'The longest:',
      task: (duration, agent, project) => `${duration}, ${agent} on ${project}`,
      outcomes: { success: 'succeeded', failed: 'failed', unknown: 'outcome not known' },
      retried: (count) => (count === 0 ? 'no task retried' : `${some(count, 'task')} retried`),
      fixed: (count) => (count === 0 ? 'none mended by a person' : `${count} mended by a person`),
    },

    workers: {
      heading: 'Do we need more agents?',
      notKnown: 'Nobody can say: no task of the queue has a duration.',
      yes: (places, full, share) =>
        `Perhaps: ${places === 1 ? 'the only place was' : `all ${places} places were`} taken for ${full}, ${share} of the time the queue worked.`,
      no: (places, all) =>
        places === 1
          ? `Not now: the queue worked ${all}, and one place was enough.`
          : `Not now: the queue worked ${all}, and the ${places} places were never taken at once.`,
      hardly: (places, full, all) =>
        `Not now: the queue worked ${all}, and only for ${full} all ${places} places were taken at once.`,
      estimate: 'Estimated from durations.',
    },

    headings: { repeat: 'To repeat', avoid: 'To avoid', change: 'Suggestions', steps: 'Next steps' },
    nothingToRepeat: 'Nothing yet: it takes more known outcomes to say.',
    nothingToAvoid: 'Nothing in particular.',
    nothingToChange: 'None, by what is known.',
    noSteps: 'Nothing in particular.',

    remarks: {
      'best-agent': ({ agent, success, known }) =>
        `Give work to ${agent}: ${success} of ${known} known outcomes succeeded.`,
      'success-rose': ({ now, before }) =>
        `What worked: success rose from ${say.percent(before)} to ${say.percent(now)}.`,
      'cost-fell': ({ now, before }) => `Spend like this: a task costs ${say.eurOf(now)}, before ${say.eurOf(before)}.`,
      'worked-alone': ({ tasks, hours }) =>
        `Let the swarm work alone: ${say.number(tasks)} tasks without anybody there, about ${say.number(hours, 1)} hours saved.`,
      'lesson-works': ({ lesson, applied }) =>
        `Keep the lesson on ${lesson} alive: it was of use ${times(applied)} in all.`,
      'same-error': ({ example, count, countBefore }) =>
        `Stumble over ${example} again: ${times(count)}${countBefore > 0 ? `, and ${times(countBefore)} before` : ''}.`,
      'success-fell': ({ now, before }) =>
        `Go on as if nothing had happened: success fell from ${say.percent(before)} to ${say.percent(now)}.`,
      'paid-twice': ({ usd, share }) =>
        `Pay twice for a task: ${say.eurOf(usd)} on attempts that were repeated, ${say.percent(share)} of the spending.`,
      'failed-dearly': ({ usd, share }) =>
        `Pay for tasks that then fail: ${say.eurOf(usd)}, ${say.percent(share)} of the spending.`,
      'without-review': ({ agent, fixed, tasks }) =>
        `Take the work of ${agent} on trust: ${fixed} of ${tasks} tasks were mended.`,
    },

    changes: {
      'look-at-hooks': () => ({
        what: 'If there should have been work, see whether the hooks still write.',
        why: 'Not a single task has come in.',
        step: 'Run `swarm doctor` and look at the hooks',
      }),
      'write-lesson': ({ example, count }) => ({
        what: 'Write a lesson on the most frequent error.',
        why: `It came back ${times(count)}, always the same.`,
        step: `Write the lesson on ${example}`,
      }),
      'smaller-budget': ({ agent, wastedUsd, allWastedUsd }) => ({
        what: `Give ${agent} a smaller budget or another model.`,
        why:
          wastedUsd === allWastedUsd
            ? `All of the ${say.eurOf(allWastedUsd)} spent in vain is its own.`
            : `Of the ${say.eurOf(allWastedUsd)} spent in vain, ${say.eurOf(wastedUsd)} is its own.`,
        step: `Try ${agent} with a lower \`--budget-usd\` or another \`--model\``,
      }),
      'help-agent': ({ agent, failed, known }) => ({
        what: `Help ${agent} before it gets more work.`,
        why: `${failed === known ? `All ${known}` : `${failed} of its ${known}`} known outcomes are failures.`,
        step: `Read the failed tasks of ${agent}, then give it smaller ones`,
      }),
      'review-agent': ({ agent, fixed, tasks }) => ({
        what: `Have the work of ${agent} reviewed.`,
        why: `${fixed} of its ${tasks} tasks were mended by a person.`,
        step: `Let a review by \`cervella-reviewer\` follow the tasks of ${agent}`,
      }),
      'one-more-worker': ({ hours, share, workers }) => ({
        what: 'Add a place to work.',
        why: `All were taken for ${say.number(hours, 1)} hours, ${say.percent(share)} of the working time.`,
        step: `Raise \`WORKERS_MAX\` from ${workers} to ${workers + 1}, if the machine has free memory`,
      }),
      'cheaper-model': ({ model, dearModel, times: factor }) => ({
        what: `Use ${model} more often.`,
        why: `A task costs ${say.number(factor, 1)} times less than with ${dearModel}, and fails no more often (tasks may differ).`,
        step: `Try ${model} on simple tasks`,
      }),
      'smaller-tasks': ({ slow, withDuration }) => ({
        what: 'Split long tasks.',
        why: `${slow} of the ${withDuration} with a known duration took more than 10 minutes.`,
        step: 'Split the next long tasks into steps of less than 10 minutes',
      }),
      'fewer-retries': ({ share }) => ({
        what: 'Find out why tasks are retried.',
        why: `${say.percent(share)} of them needed more than one attempt.`,
        step: 'Look at the errors of retried tasks with `swarm trace`',
      }),
      'use-lessons': ({ count, active }) => ({
        what: 'Go through the lessons nobody uses.',
        why: `${count} of ${active} active ones were never of use: nobody sees them, or they are out of date.`,
        step: 'Go through `swarm lessons` and close those that are out of date',
      }),
      'use-queue': ({ unknown, tasks }) => ({
        what: 'Let more work go through the queue.',
        why: `How ${unknown} of ${tasks} tasks went, nobody knows; from the queue outcome, time and cost are always written down.`,
        step: 'Queue the next tasks with `swarm enqueue`',
      }),
      'more-alone': ({ tasks, target }) => ({
        what: 'Leave more work to the swarm at night.',
        why: `${tasks === 0 ? 'No task' : `Only ${say.number(tasks, 1)}`} done alone, the target is ${target}.`,
        step: 'Prepare a few tasks for the night with `swarm enqueue`',
      }),
    },

    short: {
      tasks: (count, perDay) => `${some(count, 'task')} (${perDay} a day)`,
      success: (success, known, ratio, unknown) =>
        `${success} of ${known} known outcomes succeeded (${ratio})${unknown > 0 ? `; ${unknown} unknown` : ''}`,
      before: (tasks, { ratio, sum }) =>
        [
          `Before: ${some(tasks, 'task')}`,
          ...(ratio === undefined ? [] : [`${ratio} success`]),
          ...(sum === undefined ? [] : [`${sum} spent`]),
        ].join(', '),
      geo: (share, before) => `Geo freedom: ${share}${before === share ? '' : ` (before ${before})`}`,
      best: (agent) => `Best: ${agent}`,
      inNeed: (agent, reason) => `Needs help: ${agent}, ${reason}`,
      error: (example, count) => `Most frequent error (${times(count)}): ${example}`,
      steps: 'Next steps:',
    },
  };
}
