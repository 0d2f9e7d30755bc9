import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { aPlan, anInstance, signedOf } from '../../../test/plans.js'
import { connect } from '../../controller/index.js'
import { makeKey } from '../../plan/key-files.js'
import { testPlan, unsigned } from '../../testing/plans.js'
import { memoryEngine } from '../memory.js'
import type { ControllerTransport } from '../transport.js'
import { relayAgentTransport } from './agent.js'
import { relayControllerTransport } from './controller.js'
import { startRelay } from './start-relay.js'

const MIB = 1_048_576

async function relayOf(control?: Partial<ControllerTransport>) {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-relay-'))
  const engine = memoryEngine()
  const relay = await startRelay(engine.agent(), {
    path: join(folder, 'relay.sock'),
    ...(control !== undefined && { control: { ...engine.controller(), ...control } }),
  })
  onTestFinished(async () => {
    await relay.stop()
    rmSync(folder, { recursive: true })
  })
  return { path: relay.path, engine }
}

function controllerOf(path: string): ControllerTransport {
  const controller = relayControllerTransport({ path, timeoutMs: 30_000 })
  onTestFinished(() => controller.disconnect())
  return controller
}

/** A peer that says what it likes. */
async function peerOf(path: string) {
  const socket = net.connect({ path }).on('error', () => undefined)
  await once(socket, 'connect')
  onTestFinished(() => void socket.destroy())
  return socket
}

it('serves agents only, unless whoever starts it says otherwise', async () => {
  const { path, engine } = await relayOf()
  const controller = controllerOf(path)
  const forbidden = { code: 'CHAOS_FLEET_FORBIDDEN', message: expect.stringContaining('agents only') as string }
  for (const call of [() => controller.list(), () => controller.halt('why', 'me'), () => controller.status()])
    await expect(call()).rejects.toMatchObject(forbidden)
  expect(await engine.controller().status()).toMatchObject({ halt: undefined })
  const agent = relayAgentTransport({ path })
  onTestFinished(() => agent.close())
  expect(await agent.read(anInstance())).toMatchObject({ isPermitted: false })
})

it('takes calls only of a connection that has said that it controls', async () => {
  const halt = vi.fn()
  const { path } = await relayOf({ halt })
  const socket = await peerOf(path)
  socket.write(`${JSON.stringify({ id: 1, do: 'call', name: 'halt', args: ['why', 'me'] })}\n`)
  const [told] = (await once(socket, 'data')) as [Buffer]
  expect(JSON.parse(String(told))).toMatchObject({ refusal: { code: 'CHAOS_FLEET_FORBIDDEN' } })
  await once(socket, 'close')
  expect(halt).not.toHaveBeenCalled()
})

it('is a fleet by its URL', async () => {
  const { path } = await relayOf({})
  const fleet = await connect(`fleet+unix://${path}?fleet=test&environment=test`, { key: makeKey('ops'), by: 'me' })
  onTestFinished(() => fleet.close())
  expect((await fleet.info()).refusal).toContain('not permitted')
})

it('tells of more than one message holds, and of no record that makes no sense', async () => {
  const labels = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`label-${n}`, 'x'.repeat(40)]))
  const all = Array.from({ length: 3_000 }, () => anInstance({ labels }))
  const { path } = await relayOf({
    list: () => Promise.resolve([...all, { id: 'nonsense' } as never, anInstance({ sdk: 'x'.repeat(2 * MIB) })]),
  })
  const controller = controllerOf(path)
  expect(JSON.stringify(all).length).toBeGreaterThan(8 * MIB)
  expect(await controller.list()).toEqual(all)
})

function canBeWritten(value: unknown): boolean {
  try {
    JSON.stringify(value)
    return true
  } catch {
    return false
  }
}

it('survives a process that says what is nested deeper than JSON can be written everywhere', async () => {
  const { path } = await relayOf({})
  const controller = controllerOf(path)
  const socket = await peerOf(path)
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
  const ack = { runId: 'run', instanceId: 'one', ack: { status: 'ready', evidence: [{ deep: 0 }] } }
  const one = anInstance()
  const record = JSON.stringify({ id: 2, do: 'read', instance: one }).replace(
    '"instance":{',
    `"instance":{"deep":${deep},`,
  )
  let told = ''
  socket.on('data', (chunk) => (told += String(chunk)))
  socket.write(`${JSON.stringify({ id: 1, do: 'ack', ...ack }).replace('"deep":0', `"deep":${deep}`)}\n${record}\n`)
  await vi.waitFor(() => expect(told.split('\n')).toHaveLength(3))
  // Node.js 26 writes JSON of any depth: there the answer is kept, without its evidence.
  const isKept = canBeWritten(JSON.parse(deep))
  expect(told.includes('"error"')).toBe(!isKept)
  expect(await controller.list()).toEqual([one])
  expect(await controller.acks('run')).toEqual(new Map(isKept ? [['one', { status: 'ready' }]] : []))
})

it('believes no answer beyond its bounds', async () => {
  const one = anInstance({ sdk: 'x'.repeat(MIB / 2) })
  const { path } = await relayOf({ list: () => Promise.resolve(Array.from({ length: 300 }, () => one)) })
  await expect(controllerOf(path).list()).rejects.toMatchObject({
    code: 'CHAOS_FLEET_UNREACHABLE',
    message: expect.stringContaining('too long') as string,
  })
})

it('knows a window without an end', async () => {
  const status = { isPermitted: true, openForMs: Number.POSITIVE_INFINITY, halt: undefined, epoch: 1 }
  const { path } = await relayOf({ status: () => Promise.resolve(status) })
  expect(await controllerOf(path).status()).toEqual(status)
})

it('answers a call that makes no sense with an error, and serves the next one', async () => {
  const open = vi.fn()
  const { path } = await relayOf({ open })
  const controller = controllerOf(path)
  const invalid = { code: 'CHAOS_INVALID_OPTION' }
  const plan = testPlan()
  const run = { runId: plan.runId, owner: 'me' }
  for (const call of [
    () => controller.halt('x'.repeat(5_000), 'me'),
    () => controller.permit(Number.NaN, 'me', 'why'),
    () => controller.permit(-1, 'me', 'why'),
    () => controller.renew(run, 5_000, 'over' as never),
    () => controller.renew({ runId: plan.runId } as never, 5_000, 'active'),
    () => controller.note('what', 'me', { long: 'x'.repeat(70_000) }),
    () => controller.note('what', 'me', { number: 7 } as never),
    () => controller.open({ text: plan } as never, plan, 'me'),
  ])
    await expect(call()).rejects.toMatchObject(invalid)
  for (const bad of [signedOf(aPlan()), { ...unsigned(plan), text: '{' }])
    await expect(controller.open(bad, plan, 'me')).rejects.toMatchObject({ code: 'CHAOS_FLEET_PLAN_REFUSED' })
  expect(open).not.toHaveBeenCalled()
  expect(await controller.acks('none')).toEqual(new Map())
})

it('knows no call that is a member of every object', async () => {
  const { path } = await relayOf({})
  const socket = await peerOf(path)
  for (const name of ['constructor', 'disconnect', 'onWake', 'nonsense']) {
    socket.write(`{"id":0,"do":"control"}\n${JSON.stringify({ id: 1, do: 'call', name, args: [] })}\n`)
    const [told] = (await once(socket, 'data')) as [Buffer]
    expect(JSON.parse(String(told))).toMatchObject({ id: 1, error: { code: 'CHAOS_INVALID_OPTION' } })
  }
})

it('takes no more controllers than its maximum, and one again for one that leaves', async () => {
  const { path } = await relayOf({})
  const controllers = Array.from({ length: 32 }, () => controllerOf(path))
  await Promise.all(controllers.map((one) => one.status()))
  await expect(controllerOf(path).status()).rejects.toMatchObject({ code: 'CHAOS_FLEET_FORBIDDEN' })
  await controllers[0]?.disconnect()
  await vi.waitFor(async () => expect(await controllerOf(path).status()).toMatchObject({ isPermitted: false }))
})

it('cuts off a process that asks, and does not read the answers', async () => {
  const one = anInstance({ sdk: 'x'.repeat(MIB / 2) })
  const list = vi.fn(() => Promise.resolve(Array.from({ length: 50 }, () => one)))
  const { path } = await relayOf({ list })
  const socket = await peerOf(path)
  socket.pause()
  const closed = new Promise((resolve) => socket.on('close', resolve))
  socket.write('{"id":0,"do":"control"}\n')
  for (let id = 1; id <= 60; id += 1) socket.write(`{"id":${id},"do":"call","name":"list","args":[]}\n`)
  // What it holds for the slow one is bounded, and others are served meanwhile.
  expect(await controllerOf(path).status()).toMatchObject({ isPermitted: false })
  await vi.waitFor(() => expect(list.mock.calls.length).toBeGreaterThan(20))
  // A socket that is paused learns of its end only when it reads on; so it writes, which fails.
  const knocking = setInterval(() => socket.write('\n'), 50)
  await closed
  clearInterval(knocking)
})
