/** A process of a fleet on one host, for `fleet-on-one-host.test.ts`: the relay, an application, or whoever runs an experiment. */
import { createChaos, target } from '@chaos/core'
import { joinFleet, memoryEngine, relayAgentTransport, startRelay } from '../src/index.js'
import { connect, readKeyFile, relayControllerTransport } from '../src/controller/index.js'
import { silence } from './silence.js'

const [role, path = '', keyFile = '', publicKey = ''] = process.argv.slice(2)
const LEASE_MS = 4_000

async function relay(): Promise<void> {
  const engine = memoryEngine()
  const control = engine.controller()
  await startRelay(engine.agent(), { path, control })
  await control.permit(3_600_000, 'operator', 'a test')
  console.log('listens')
}

function app(): void {
  const speaker = { say: () => 'hello' }
  const chaos = createChaos({ environment: 'test', targets: { speaker: target(speaker, [silence]) } })
  joinFleet(chaos, {
    transport: relayAgentTransport({ path }),
    fleet: 'test',
    service: 'shop',
    keys: { ops: publicKey },
    idlePollMs: 200,
    log: (line) => console.log(line),
  })
  let said = 'hello'
  setInterval(() => {
    const says = speaker.say()
    if (says !== said) console.log(says === '' ? 'broken' : 'whole')
    said = says
  }, 10)
}

async function controller(): Promise<void> {
  const url = `fleet+unix://${path}?fleet=test&environment=test`
  const fleet = await connect(url, { key: readKeyFile(keyFile), leaseMs: LEASE_MS, by: 'test' })
  const chosen = (): Promise<number> =>
    fleet.plan('speaker[service=shop]', 'silence').then(
      ({ plan }) => plan.instances.length,
      () => 0,
    )
  while ((await chosen()) < 2) await new Promise((resolve) => setTimeout(resolve, 20))
  await fleet.inject('speaker[service=shop]', 'silence', {}, { leaseMs: 60_000 })
  console.log('in force')
  setInterval(() => {
    const [run] = fleet.runs()
    if (run?.status !== 'ended') return
    console.log(`over: ${run.end}`)
    process.exit()
  }, 20)
}

if (role === 'relay') await relay()
if (role === 'app') app()
if (role === 'controller') await controller()
if (role === 'halter') {
  const transport = relayControllerTransport({ path })
  await transport.halt('enough', 'anyone')
  console.log('halted')
  await transport.disconnect()
}
