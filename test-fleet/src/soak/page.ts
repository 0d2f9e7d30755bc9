import { spreadOf, type Results, type Spread } from './results.js'

const [BEGIN, END] = ['<!-- measured -->\n', '<!-- /measured -->']

/** Puts the results into a page, between its marks. */
export function withResults(page: string, results: Results): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (from === -1 || to === -1) throw new Error('The page has no place for the results.')
  return `${page.slice(0, from + BEGIN.length)}\n${textOf(results)}\n\n${page.slice(to)}`
}

function textOf({ machine, rows, bars, untried, tookS, form }: Results): string {
  const machines = Object.entries(machine).map(([name, value]) => `- ${name} ${value}`)
  return [
    [...machines, `- the ${form} form, which took ${tookS} s`, ...untried.map((what) => `- not tried: ${what}`)].join(
      '\n',
    ),
    table([
      ['what must be so', 'bar', 'measured', 'held'],
      ...bars.map(({ name, limit, got, isHeld }) => [name, limit, got, isHeld ? 'yes' : '**no**']),
    ]),
    'Times are in ms: best / median / worst.',
    table([
      [
        'what is done to whom',
        'promises',
        'agents',
        'lease',
        'trials',
        'in force',
        'asked to in force',
        'whole',
        'promised',
        'applied again',
      ],
      ...rows.map((row) => [
        row.name,
        row.promises,
        `${row.agents} in ${row.processes}`,
        String(row.leaseMs),
        row.failures.length === 0 ? String(row.trials) : `${row.trials}, and ${row.failures.length} failed`,
        shown(spreadOf(row.appliedMs)),
        shown(row.asked),
        shown(row.reverted),
        row.boundMs === undefined ? '' : `${Math.round(row.boundMs)}`,
        String(row.reapplied),
      ]),
    ]),
  ].join('\n\n')
}

const shown = (spread: Spread | undefined): string =>
  spread === undefined ? '' : `${spread.best} / ${spread.median} / ${spread.worst}`

function table([heading = [], ...rows]: readonly (readonly string[])[]): string {
  const lines = [heading, heading.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  return `<!-- prettier-ignore -->\n${lines.join('\n')}`
}
