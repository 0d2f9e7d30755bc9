import { once } from 'node:events'
import { MessageChannel, Worker } from 'node:worker_threads'
import { manualClock, type ManualClock } from '@chaos/core/testing'
import { expect, it, onTestFinished } from 'vitest'
import type { ChaosError } from '@chaos/core'
import { ThreadChannel } from './thread-channel.js'

/** A thread that answers as the code says, which has `say(message)` and gets each `question`. */
async function startStub(onQuestion: string, heard: (report: unknown) => void = () => undefined) {
  const { port1: port, port2 } = new MessageChannel()
  const said = new Int32Array(new SharedArrayBuffer(4))
  const program = `
    const { port, said } = require('node:worker_threads').workerData
    const say = (message) => {
      port.postMessage(message)
      Atomics.add(said, 0, 1)
      Atomics.notify(said, 0)
    }
    port.on('message', (question) => { ${onQuestion} })
    say({ id: 0, value: 'there' })`
  const thread = new Worker(program, { eval: true, workerData: { port: port2, said }, transferList: [port2] })
  const clock: ManualClock = manualClock()
  const lost: ChaosError[] = []
  const channel = new ThreadChannel({
    ...{ name: 'redis', thread, port, said, clock, aliveMs: 50 },
    onReport: heard,
    onLost: (error) => lost.push(error),
  })
  onTestFinished(() => channel.close())
  expect(await channel.started()).toBe('there')
  return { channel, clock, thread, said, lost }
}

const unresponsive = expect.objectContaining({
  code: 'CHAOS_PROXY_CLOSED',
  message: expect.stringContaining('The worker thread of the proxy redis did not answer, and was ended.') as string,
}) as unknown

it('ends a thread that answers neither a question nor whether it is alive', async () => {
  const { channel, clock, thread, lost } = await startStub('for (;;);')
  const exit = once(thread, 'exit')
  const asked = expect(channel.request('enable')).rejects.toEqual(unresponsive)
  await clock.advance(2_999)
  expect(lost).toEqual([])
  await clock.advance(1)
  await asked
  await exit
  expect(lost).toEqual([unresponsive])
  expect(() => channel.read('counters')).toThrow(unresponsive)
  await expect(channel.request('enable')).rejects.toEqual(unresponsive)
  expect(clock.pending).toBe(0)
})

it('ends a thread that does not answer a reading', async () => {
  const { channel, thread } = await startStub('for (;;);')
  const exit = once(thread, 'exit')
  expect(() => channel.read('counters')).toThrow(unresponsive)
  await exit
})

it('waits on for a thread that is alive and has not answered yet', async () => {
  const { channel, clock, lost } = await startStub(`
    if (question.name === 'enable') globalThis.late = question.id
    else say({ id: question.id, value: question.name })
    if (question.name === 'toxics') say({ id: globalThis.late, value: 'late' })`)
  const asked = channel.request('enable')
  for (let n = 0; n < 5; n += 1) await clock.advance(3_000)
  expect(channel.read('toxics')).toBe('toxics')
  expect([await asked, lost]).toEqual(['late', []])
})

it('takes an answer that has come while this thread was blocked, though its time is over', async () => {
  const { channel, clock, said, lost } = await startStub(`
    if (globalThis.wasAsked) for (;;);
    globalThis.wasAsked = true
    say({ id: question.id, value: 'in time' })`)
  let fire = (): void => undefined
  clock.after = (_delayMs, work) => {
    fire = work
    return () => undefined
  }
  const asked = channel.request('enable')
  for (let heard = Atomics.load(said, 0); heard < 2; heard = Atomics.load(said, 0)) Atomics.wait(said, 0, heard, 1_000)
  fire()
  expect([await asked, lost]).toEqual(['in time', []])
})

it('tells reports before the answer that is newer, one after the other', async () => {
  const told: string[] = []
  const { channel } = await startStub(
    `
    say({ report: question.name + ' 1' })
    say({ report: question.name + ' 2' })
    say({ id: question.id, value: 0 })`,
    (report) => {
      told.push(`${String(report)} begins`)
      if (report === 'toxics 1') channel.read('counters')
      told.push(`${String(report)} ends`)
    },
  )
  channel.read('toxics')
  expect(told).toEqual(
    ['toxics 1', 'toxics 2', 'counters 1', 'counters 2'].flatMap((report) => [`${report} begins`, `${report} ends`]),
  )
})

it('refuses what is no data, and goes on', async () => {
  const { channel } = await startStub('say({ id: question.id, value: question.args })')
  const listen = (() => '') as unknown as string
  await expect(channel.request('move', { listen })).rejects.toMatchObject({
    code: 'CHAOS_INVALID_OPTION',
    message: expect.stringContaining('takes data only') as string,
  })
  expect(await channel.request('move', { listen: 'a:1' })).toEqual([{ listen: 'a:1' }])
})

it('says why a thread has crashed', async () => {
  const { channel, lost } = await startStub("throw new Error('broken')")
  await expect(channel.request('enable')).rejects.toMatchObject({
    code: 'CHAOS_PROXY_CLOSED',
    message: expect.stringContaining('has ended (broken)') as string,
    cause: expect.objectContaining({ message: 'broken' }) as unknown,
  })
  expect(lost).toHaveLength(1)
})
