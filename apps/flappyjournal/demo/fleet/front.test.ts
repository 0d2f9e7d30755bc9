import { loadRules, parseExposition } from '@chaos/mini-prometheus'
import { expect, it, onTestFinished, vi } from 'vitest'
import { appFolder } from '../../src/config.js'
import { fakeJournal, type FakeJournal } from '../load/fake-journal.js'
import { startFront, type Front } from './front.js'

const SECRET = 'a secret of at least thirty-two characters'

async function frontOfThree(): Promise<{ readonly front: Front; readonly broken: FakeJournal }> {
  const journals = await Promise.all([fakeJournal(), fakeJournal(), fakeJournal()])
  const servers = journals.map(({ url }, index) => ({ name: `journal-${index + 1}`, url }))
  const front = await startFront({ servers, secret: SECRET, perSecond: 200, timeoutMs: 10_000 })
  onTestFinished(async () => {
    await front.stop()
    await Promise.all(journals.map((one) => one.close()))
  })
  return { front, broken: journals[1] }
}

it('sends to the servers by turns, and counts what each of them answers', async () => {
  const { front, broken } = await frontOfThree()
  const answers = () => front.answersBetween(0, Number.MAX_SAFE_INTEGER)
  const counts = () => [...answers().values()].map(({ sent, ok }) => [sent > 10, ok / sent])
  await vi.waitFor(() => expect(counts()).toEqual([1, 1, 1].map((ratio) => [true, ratio])))
  // What is refused is not sent again, so users of that server see it, and no others do.
  const before = answers()
  broken.sabotage = { refuse: () => 503 }
  await vi.waitFor(() => {
    const failed = [...answers().values()].map(({ sent, ok }) => sent - ok)
    expect(failed[1]).toBeGreaterThan(10)
    expect([failed[0], failed[2]]).toEqual([0, 0])
  })
  for (const [name, { sent }] of answers()) expect(sent).toBeGreaterThan(before.get(name)?.sent ?? Infinity)
  expect([...front.answersBetween(0, 1).values()]).toEqual([0, 0, 0].map(() => ({ sent: 0, ok: 0 })))
})

it('exports the series that the rules of the fleet ask for', async () => {
  const { front } = await frontOfThree()
  const series = parseExposition(await (await fetch(front.metricsUrl)).text())
  const [rule, ...more] = loadRules([`${appFolder}rules/fleet.demo.yml`], 1_000)
  expect(more).toEqual([])
  const asked = [...(rule?.query ?? '').matchAll(/(\w+_total)(?:\{outcome="(\w+)"\})?\[/g)]
  expect(asked).toHaveLength(2)
  for (const [, name, outcome] of asked)
    expect(
      series.filter((one) => one.name === name && [undefined, one.labels['outcome']].includes(outcome)).length,
    ).toBeGreaterThanOrEqual(3)
})
