import type { Sabotage } from '../sabotage.js'

const blind = ['inconclusive'] as const

/** The load is not what it should be. */
export const loads: readonly Sabotage[] = [
  {
    name: 'load-dead',
    title: 'Every request of the load answers 401, no fault',
    experiment: 'no-fault',
    expected: ['gate-unmet', 'inconclusive'],
    cause: /acknowledged|load/i,
    prepare: ({ loadEnv }) => void (loadEnv['LOAD_SECRET'] = 'another secret of at least thirty-two characters'),
  },
  {
    name: 'load-dead-and-worker',
    title: 'Every request of the load answers 401, the worker is killed',
    experiment: 'worker',
    expected: ['gate-unmet', 'inconclusive'],
    cause: /acknowledged|load/i,
    prepare: ({ loadEnv }) => void (loadEnv['LOAD_SECRET'] = 'another secret of at least thirty-two characters'),
  },
  {
    name: 'load-thin',
    title: 'The load sends a request every 20 s',
    experiment: 'worker',
    expected: ['inconclusive', 'gate-unmet'],
    cause: /load|request|acknowledged/i,
    prepare: ({ loadEnv }) => void (loadEnv['LOAD_PACE_MS'] = '20000'),
  },
  {
    name: 'load-pauses',
    title: 'The load sends nothing any more after the kill',
    experiment: 'worker',
    expected: blind,
    cause: /load|request|sent/i,
    act: ({ moments, load }) => moments.at('landed', () => load.child.send('pause')),
  },
  {
    name: 'load-killed',
    title: 'The load is killed while the fault is in force',
    experiment: 'eventbus',
    expected: blind,
    cause: /load|no data|recovered/i,
    act: ({ moments, load }) => moments.at('landed', () => load.child.kill('SIGKILL'), 2_000),
  },
  {
    name: 'load-stopped',
    title: 'The load is stopped for six seconds while the fault is in force',
    experiment: 'eventbus',
    expected: blind,
    cause: /load|late/i,
    act: ({ moments, load }) => {
      moments.at('landed', () => load.child.kill('SIGSTOP'), 2_000)
      moments.at('landed', () => load.child.kill('SIGCONT'), 8_000)
    },
  },
  {
    name: 'load-report-frozen',
    title: 'The report of the load is served from a cache once the fault has landed',
    experiment: 'worker',
    expected: blind,
    cause: /load|report/i,
    async act({ moments, between }) {
      const cached = new Map<string, { status: number; text: string }>()
      await between('LOAD_URL', async (path, ask) => {
        const answer = moments.has('landed') ? (cached.get(path) ?? [...cached.values()][0]) : undefined
        if (answer !== undefined) return answer
        const fresh = await ask()
        cached.set(path, fresh)
        return fresh
      })
    },
  },
  {
    name: 'load-report-without-look',
    title: 'The report of the load says at the end what it said before anything was looked at',
    experiment: 'worker',
    expected: blind,
    cause: /verified|compared|look/i,
    act: ({ between }) =>
      between('LOAD_URL', async (path, ask) => {
        if (!path.includes('look')) return ask()
        const { text, status } = await ask()
        return { status, text: JSON.stringify({ ...(JSON.parse(text) as object), verified: 0 }) }
      }),
  },
  {
    name: 'load-report-with-holes',
    title: 'The report of the load lacks a counter',
    experiment: 'worker',
    expected: ['inconclusive', 'gate-unmet'],
    cause: /load|damaged/i,
    act: ({ between }) =>
      between('LOAD_URL', async (_path, ask) => {
        const { text, status } = await ask()
        const { damaged: _damaged, ...rest } = JSON.parse(text) as Record<string, unknown>
        return { status, text: JSON.stringify(rest) }
      }),
  },
  {
    name: 'load-report-counts-down',
    title: 'The counters of the load begin anew in mid-run',
    experiment: 'worker',
    expected: blind,
    cause: /load|report|count/i,
    act: ({ between, moments }) => {
      let first: Record<string, unknown> | undefined
      return between('LOAD_URL', async (_path, ask) => {
        const { text, status } = await ask()
        const report = JSON.parse(text) as Record<string, unknown>
        if (!moments.has('landed')) return { status, text }
        const base = (first ??= report)
        const counted = Object.entries(report).map(([name, value]) => [
          name,
          typeof value === 'number' && !['at', 'underWay', 'oldestUnderWayMs', 'ownDelayMs', 'verified'].includes(name)
            ? value - Number(base[name])
            : value,
        ])
        return { status, text: JSON.stringify(Object.fromEntries(counted)) }
      })
    },
  },
]
