import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasPrograms } from '@chaos/test-servers'
import { describe, expect, it, vi } from 'vitest'
import { guardedFleet, listed, ran, witnessOf, type GuardedFleet } from './command.js'

const json = (text: string): unknown => JSON.parse(text)
const wait = { timeout: 45_000 }

/** A fleet that is open, with members that read often. */
async function openFleet(members = 2) {
  const fleet = await guardedFleet()
  const all = Array.from({ length: members }, () => fleet.join())
  await listed(fleet, members)
  const { code } = await fleet.as('operator', 'open', '--for', '1h', '--reason', 'a test')
  expect(code).toBe(0)
  return { fleet, members: all }
}

/** An experiment that silences the speakers, and passes as long as the probe finds its file. */
function experimentIn(folder: string, leaseMs: number): string {
  const path = join(folder, 'silence.mjs')
  writeFileSync(
    path,
    `export default {
  title: 'Silent speakers',
  steadyState: { holdForMs: 50, probes: [{ name: 'one', type: 'function', read: () => 1, tolerance: { equals: 1 } }] },
  method: [{ inject: { target: 'it[service=orders]', fault: 'silence', leaseMs: ${leaseMs} } }],
}`,
  )
  return path
}

const linesOf = (fleet: GuardedFleet, ...argv: readonly string[]) => fleet.startAs('operator', ...argv)

describe.runIf(hasPrograms('redis-server'))(
  'the verbs that run and watch (skipped without `redis-server`: Debian package redis-server)',
  () => {
    it('runs one fault until its end, and tells what each instance did', async () => {
      const { fleet, members } = await openFleet()
      const run = fleet.startAs('controller', 'run', 'it', 'silence', '--for', '2s', '--option', 'level=2')
      await vi.waitFor(() => expect(members.map((one) => one.say())).toEqual(['', '']), wait)
      const { code, out, err } = await run.ended
      expect({ code, err }).toEqual({ code: 0, err: '' })
      for (const one of members) {
        expect(one.say()).toBe('hello')
        expect(out).toMatch(new RegExp(`^  ${one.id} +reverted +\\d+ +(max-duration|lease-expired)$`, 'm'))
      }
      expect(out).toMatch(/in force in 2 of 2 instances/)
      expect(out).toMatch(/^completed$/m)
    })

    it.each(['SIGINT', 'SIGTERM'] as const)(
      'ends the run on %s, and waits until every instance is whole',
      async (signal) => {
        const { fleet, members } = await openFleet()
        const run = fleet.startAs('controller', 'run', 'it', 'silence', '--for', '10m', '--json')
        await vi.waitFor(() => expect(members.map((one) => one.say())).toEqual(['', '']), wait)
        run.process.kill(signal)
        const { code, out, err } = await run.ended
        expect(code).toBe(130)
        expect(members.map((one) => one.say())).toEqual(['hello', 'hello'])
        expect(err).toContain(`interrupted (${signal})`)
        expect(json(out)).toMatchObject({
          verdict: 'interrupted',
          run: { end: 'stopped', instances: [{ status: 'reverted' }, { status: 'reverted' }] },
        })
      },
    )

    it('ends at once on SIGINT while it waits for instances, and affects none', async () => {
      const { fleet, members } = await openFleet(1)
      const witness = witnessOf(fleet)
      const record = await witness.get(`{chaos:shop}:inst:${members[0]?.id}`)
      // An instance that never answers.
      await witness.set('{chaos:shop}:inst:ghost', String(record).replace(String(members[0]?.id), 'ghost'))
      await witness.zadd('{chaos:shop}:index', Date.now(), 'ghost')
      const run = fleet.startAs('controller', 'run', 'it', 'silence', '--for', '10m')
      await vi.waitFor(async () => expect(await witness.zcard('{chaos:shop}:running')).toBe(1), wait)
      run.process.kill('SIGINT')
      const { code, out } = await run.ended
      expect(code).toBe(130)
      expect(out).toMatch(/, stopped, never in force$/m)
      expect(out).toMatch(/^ {2}ghost +no answer/m)
      expect(members[0]?.say()).toBe('hello')
    })

    it('is cut short by a halt, with the code of an inconclusive run', async () => {
      const { fleet, members } = await openFleet()
      const run = fleet.startAs('controller', 'run', 'it', 'silence', '--for', '10m')
      await vi.waitFor(() => expect(members.map((one) => one.say())).toEqual(['', '']), wait)
      expect((await fleet.as('halter', 'halt', '--reason', 'alerts')).code).toBe(0)
      const { code, out } = await run.ended
      expect(members.map((one) => one.say())).toEqual(['hello', 'hello'])
      expect(code).toBe(16)
      // Who sees it first, the controller or the agents, is a matter of ms.
      expect(out).toMatch(/, (halted|too-few), whole again/)
      expect(out).toMatch(/^ {2}why: .*halt/m)
      expect(out).toMatch(/^cut-short$/m)
      // Until an operator lifts the halt, the next one does not begin.
      const next = await fleet.as('controller', 'run', 'it', 'silence', '--for', '1s')
      expect(next).toMatchObject({
        code: 4,
        err: expect.stringMatching(/Somebody has called a halt.*CHAOS_FLEET_RUN_REFUSED\)\nnext: /s) as string,
      })
    })

    it('runs an experiment, with its verdict, its reports and the instances', async () => {
      const { fleet, members } = await openFleet()
      const reports = join(fleet.folder, 'reports')
      const run = fleet.startAs('controller', 'run', experimentIn(fleet.folder, 2_000), '--report', reports)
      await vi.waitFor(() => expect(members.map((one) => one.say())).toEqual(['', '']), wait)
      const { code, out, err } = await run.ended
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toMatch(/^Silent speakers$/m)
      for (const one of members) expect(out).toContain(one.id)
      expect(out).toMatch(/pass/)
      for (const name of ['journal.json', 'junit.xml', 'report.html'])
        expect(existsSync(join(reports, name))).toBe(true)
    })

    it('ends an experiment on SIGINT with code 130, when every instance is whole', async () => {
      const { fleet, members } = await openFleet()
      const run = fleet.startAs('controller', 'run', experimentIn(fleet.folder, 600_000), '--json')
      await vi.waitFor(() => expect(members.map((one) => one.say())).toEqual(['', '']), wait)
      run.process.kill('SIGINT')
      const { code, out } = await run.ended
      expect(code).toBe(130)
      expect(members.map((one) => one.say())).toEqual(['hello', 'hello'])
      expect(json(out)).toMatchObject({
        experiments: [{ verdict: { name: 'inconclusive' } }],
        runs: [{ end: 'stopped' }],
      })
    })

    it('plans an experiment step by step, and finds a step that would meet another in its service', async () => {
      const { fleet, members } = await openFleet()
      const path = join(fleet.folder, 'steps.json')
      const inject = { target: 'it', fault: 'silence', leaseMs: 60_000 }
      writeFileSync(
        path,
        JSON.stringify({
          title: '${TITLE}',
          steadyState: {
            probes: [{ name: 'home', type: 'http', url: 'http://127.0.0.1:9' }],
          },
          method: [{ inject }, { waitMs: 1_000 }, { inject: { ...inject, fault: 'nothing' } }, { inject }],
        }),
      )
      const { code, out } = await fleet.as('controller', 'plan', path, '--var', 'TITLE=Twice')
      expect(code).toBe(4)
      expect(out).toMatch(/^experiment: Twice$/m)
      expect(out).toMatch(/^step 2: wait 1\.0 s$/m)
      expect(out).toMatch(/refused: Unknown fault "nothing" of target "it"/)
      expect(out).toMatch(/refused: Step 1 is still in force in the same service/)
      expect(out).toContain('2 reasons refuse it.')
      for (const one of members) expect(out.split(one.id)).toHaveLength(3)
      for (const one of members) expect(one.say()).toBe('hello')
    })

    it('says what another run has taken', async () => {
      const { fleet, members } = await openFleet(1)
      const run = fleet.startAs('controller', 'run', 'it', 'silence', '--for', '10m')
      await vi.waitFor(() => expect(members[0]?.say()).toBe(''), wait)
      const planned = await fleet.as('controller', 'plan', 'it', 'silence')
      expect(planned).toMatchObject({
        code: 4,
        out: expect.stringMatching(/refused: Another run concerns `orders`/) as string,
      })
      // The record of an instance is as old as its last read.
      await vi.waitFor(async () => {
        const { out } = await fleet.as('controller', 'ls', '--json')
        expect(json(out)).toMatchObject({ instances: [{ state: 'applied', run: expect.any(String) as string }] })
      }, wait)
      run.process.kill('SIGTERM')
      expect((await run.ended).code).toBe(130)
    })

    it('shows the runs of others: once, and as they go', async () => {
      const { fleet, members } = await openFleet()
      const watching = linesOf(fleet, 'watch')
      const following = linesOf(fleet, 'watch', '--json')
      await vi.waitFor(() => {
        expect(watching.said()).toContain('runs are permitted')
        expect(following.said()).toContain('"window"')
      }, wait)
      const run = fleet.startAs('controller', 'run', 'it', 'silence', '--for', '10m', '--reason', 'to be seen')
      await vi.waitFor(() => expect(members.map((one) => one.say())).toEqual(['', '']), wait)
      await vi.waitFor(async () => {
        const { code, out } = await fleet.as('operator', 'watch', '--once', '--json')
        expect(code).toBe(0)
        expect(json(out)).toMatchObject({
          fleet: 'shop',
          window: { isPermitted: true },
          runs: [
            {
              phase: 'active',
              fault: 'test/silence',
              reason: 'to be seen',
              leaseMs: 5_000,
              instances: [{ status: 'applied' }, { status: 'applied' }],
            },
          ],
        })
      }, wait)
      const once = await fleet.as('operator', 'watch', '--once')
      expect(once.out).toMatch(/in force, lease \d\.\d s of 5\.0 s left$/m)
      for (const one of members) expect(once.out).toMatch(new RegExp(`^  ${one.id} +applied +\\d+$`, 'm'))
      await vi.waitFor(() => {
        for (const one of members) expect(watching.said()).toMatch(new RegExp(`${one.id}: applied`))
        expect(following.said()).toContain('"applied"')
      }, wait)
      await fleet.as('halter', 'halt', '--reason', 'enough')
      expect((await run.ended).code).toBe(16)
      await vi.waitFor(() => {
        for (const one of members) {
          expect(watching.said()).toMatch(new RegExp(`${one.id}: applied`))
          expect(watching.said()).toMatch(new RegExp(`${one.id}: reverted \\(halted\\)`))
        }
        expect(watching.said()).toContain('halted: enough')
        expect(watching.said()).toMatch(/run \S+: over/)
      }, wait)
      for (const one of [watching, following]) {
        one.process.kill('SIGINT')
        expect(await one.ended).toMatchObject({ code: 0, err: '' })
      }
      const changes = (await following.ended).out.trim().split('\n').map(json)
      expect(changes).toContainEqual(
        expect.objectContaining({ type: 'instance', id: members[0]?.id, status: 'applied' }),
      )
    })

    it('waits for an engine that hangs, and shows what happened meanwhile', async () => {
      const { fleet } = await openFleet(0)
      const watching = linesOf(fleet, 'watch')
      await vi.waitFor(() => expect(watching.said()).toContain('runs are permitted'), wait)
      fleet.server.process.kill('SIGSTOP')
      await vi.waitFor(() => expect(watching.said()).toContain('warning: Redis at'), wait)
      fleet.server.process.kill('SIGCONT')
      await fleet.as('operator', 'close', '--reason', 'enough')
      await vi.waitFor(() => expect(watching.said()).toContain('closed, so no run may begin'), wait)
      watching.process.kill('SIGTERM')
      expect((await watching.ended).code).toBe(0)
    })

    it('prints the audit log, of a time and as it goes', async () => {
      const { fleet } = await openFleet(0)
      const following = linesOf(fleet, 'audit', '--follow', '--since', '1h')
      await vi.waitFor(() => expect(following.said()).toMatch(/ permit .*reason=a test/), wait)
      await fleet.as('halter', 'halt', '--reason', 'to be \u001b[31mseen')
      await vi.waitFor(() => expect(following.said()).toMatch(/ halt .*reason=to be \\u001b\[31mseen/), wait)
      following.process.kill('SIGINT')
      const followed = await following.ended
      expect(followed).toMatchObject({ code: 0, err: '' })
      expect(followed.out.trim().split('\n')).toHaveLength(2)
      const { out } = await fleet.as('controller', 'audit', '--json')
      expect(json(out)).toMatchObject([
        { what: 'permit' },
        { what: 'halt', details: { reason: 'to be \u001b[31mseen' } },
      ])
      expect(json((await fleet.as('controller', 'audit', '--json', '--since', '0')).out)).toEqual([])
      expect(await fleet.as('halter', 'audit')).toMatchObject({ code: 4, out: '' })
    })

    it('verifies a journal against the log, and finds what was changed or cut off', async () => {
      const { fleet } = await openFleet(1)
      const journal = join(fleet.folder, 'journal')
      const env = {
        CHAOS_FLEET_URL: fleet.url('controller'),
        CHAOS_FLEET_KEY: fleet.keyFile,
        CHAOS_FLEET_JOURNAL: journal,
      }
      const { code } = await ran(['run', 'it', 'silence', '--for', '1s'], env)
      expect(code).toBe(0)
      const whole = readFileSync(journal, 'utf8')
      const lines = whole.trimEnd().split('\n')
      const check = (argv: readonly string[] = [], url = fleet.url('operator')) =>
        ran(['audit', '--journal', journal, ...argv], url === '' ? {} : { CHAOS_FLEET_URL: url })
      expect(await check()).toMatchObject({
        code: 0,
        out: expect.stringContaining(`noted 1 heads of it, the last at entry ${lines.length}`) as string,
      })
      expect(json((await check(['--json'])).out)).toMatchObject({
        isWhole: true,
        entries: lines.length,
        provenTo: lines.length,
      })
      expect((await check([], '')).out).toContain('not compared with the audit log')

      writeFileSync(journal, `${lines.slice(0, -1).join('\n')}\n`)
      expect((await check([], '')).code).toBe(0)
      expect(await check()).toMatchObject({
        code: 2,
        err: expect.stringMatching(/its end was cut off.*CHAOS_FLEET_JOURNAL_BROKEN/) as string,
      })
      writeFileSync(journal, whole.replace('"silence@it#1"', '"silence@it#2"').replace('test/silence', 'test/silenced'))
      expect(await check()).toMatchObject({ code: 2, err: expect.stringContaining('was changed') as string })
      writeFileSync(journal, '')
      expect((await check()).out).toContain('noted no head of it')
      appendFileSync(journal, 'x')
      expect(await check()).toMatchObject({ code: 2 })
      expect(await ran(['audit', '--journal', fleet.folder])).toMatchObject({ code: 2, out: '' })
    })

    it('renders the exact pods of instances that have registered theirs, and refuses the others', async () => {
      const { fleet } = await openFleet(0)
      for (const pod of ['cart-0', 'cart-1']) fleet.join({ service: 'cart', labels: { pod, namespace: 'shop' } })
      fleet.join({ service: 'stock' })
      await listed(fleet, 3)
      const path = join(fleet.folder, 'experiment.yaml')
      const write = (peer: string): void =>
        writeFileSync(
          path,
          `title: Cut
steadyState: { probes: [] }
method:
  - inject: { target: 'pods[service=cart]', fault: chaos-mesh/partition, leaseMs: 60000, options: { direction: both, target: ${peer} } }
  - waitMs: 1000
`,
        )
      write('[depot/stock-0]')
      const rendered = await fleet.as('controller', 'render', path, '--run-id', 'run-1')
      expect(rendered).toMatchObject({ code: 0, err: '' })
      expect(rendered.out).toMatch(/^# Nothing was applied\./)
      expect(rendered.out).toContain('kubectl delete podchaos,networkchaos -A -l chaos-harness/run-id=run-1')
      for (const part of ['- cart-0', '- cart-1', '- stock-0', "duration: '60s'"]) expect(rendered.out).toContain(part)
      write("'pods[service=stock]'")
      expect(await fleet.as('controller', 'render', path)).toMatchObject({
        code: 2,
        out: '',
        err: expect.stringContaining('POD_NAME') as string,
      })
    })

    it('says that the engine is away, without its password', async () => {
      const fleet = await guardedFleet()
      const url = fleet.url('controller')
      fleet.server.process.kill('SIGKILL')
      for (const argv of [['ls'], ['watch', '--once'], ['audit'], ['halt']]) {
        const { code, out, err } = await ran(argv, { CHAOS_FLEET_URL: url })
        expect({ code, out }).toEqual({ code: 3, out: '' })
        expect(err).toMatch(/^error: Redis at 127\.0\.0\.1:\d+ did not answer.*\(CHAOS_FLEET_UNREACHABLE\)\nnext: /)
        expect(err).not.toContain(fleet.passwordOf('controller'))
      }
    })
  },
)
