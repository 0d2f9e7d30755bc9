import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT } from '@chaos/cli'
import { EXIT_CODES } from '@chaos/experiment'
import { freePort, hasPrograms, ownRedis, SERVER_TIMEOUT_MS } from '@chaos/test-servers'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { FLEET_PAGE, shopFolder, type ShopFolder } from '../src/fleet-page.js'
import { blocksIn, type Block } from '../src/page-examples.js'
import { packageNamed, root } from '../src/repository.js'
import { run, type Ran } from '../src/run.js'

const PAGE = readFileSync(join(root, FLEET_PAGE), 'utf8')
const PORTS = ['3001', '3002']

/** The blocks of one section of the page. */
const section = (title: string): readonly Block[] => blocksIn(PAGE.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '')

/** What the page calls `npx chaos`. */
const program = (command: string): string => {
  const bin = (name: string): string => `'${process.execPath}' '${join(packageNamed(name).dir, 'dist', 'bin.js')}'`
  return command.replace(/^npx chaos fleet /, `${bin('fleet')} `).replace(/^npx chaos /, `${bin('cli')} `)
}

describe.runIf(hasPrograms('redis-server'))('more of the page of fleets (skipped without redis-server)', () => {
  let shop: ShopFolder
  const ports = new Map<string, number>()

  /** Runs a command of the page in a terminal in which some lines were typed before. */
  const start = (command: string, typed = ''): ChildProcess =>
    spawn('sh', ['-c', `${typed}\nexec ${program(command)}`], {
      cwd: shop.path,
      env: { ...process.env, CHAOS_FLEET_JOURNAL: 'journal.jsonl', CHAOS_FLEET_KEY: 'keys/ops', NODE_NO_WARNINGS: '1' },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  const follow = (command: string, typed = ''): Promise<Ran> =>
    run('sh', ['-c', `${typed}\nexec ${program(command)}`], {
      cwd: shop.path,
      env: { ...process.env, CHAOS_FLEET_JOURNAL: 'journal.jsonl', CHAOS_FLEET_KEY: 'keys/ops' },
    })
  const endsAfterTest = (child: ChildProcess): ChildProcess => {
    onTestFinished(async () => {
      const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
      child.kill('SIGKILL')
      await exited
    })
    return child
  }
  /** Starts both processes of the shop, which join as the lines of a section say. */
  const startShop = (joins: string, imports = ''): void => {
    const code = readFileSync(join(shop.path, 'orders.mjs'), 'utf8').replace(/^joinFleet.*\n/m, '')
    shop.write('joined.mjs', `${imports}\n${code}${joins}`)
    for (const port of PORTS) endsAfterTest(start(`node joined.mjs ${String(ports.get(port))}`))
  }
  const left = (): Promise<readonly unknown[]> =>
    Promise.all(
      PORTS.map(async (port) => {
        const answer = await fetch(`http://127.0.0.1:${String(ports.get(port))}/`)
        return ((await answer.json()) as { readonly left: unknown }).left
      }),
    )

  beforeAll(async () => {
    for (const shown of [...PORTS, '6379']) ports.set(shown, await freePort())
    shop = shopFolder(ports)
    expect(await follow('npx chaos fleet key --out keys')).toMatchObject({ exitCode: EXIT.ok })
  })
  afterAll(() => shop.remove())

  it(
    'is a drill that ends as the page says, with a user of Redis for each role',
    async () => {
      const blocks = section('Open, run, watch, halt')
      const lines = blocks.filter(({ language }) => language === 'sh').flatMap(({ code }) => code.trimEnd().split('\n'))
      const line = (begin: string): string => shop.here(lines.find((one) => one.startsWith(begin)) ?? '')
      /** What somebody with a role has typed first. */
      const as = (role: string): string =>
        shop.here(
          lines
            .filter((one) => one.includes(`chaos-shop-${role}@`) || one.endsWith(`(cat secrets/${role})`))
            .join('\n'),
        )

      expect(await follow(line('npx chaos fleet acl'))).toMatchObject({ exitCode: EXIT.ok })
      const redis = await ownRedis('--aclfile', join(shop.path, 'users.acl'))
      onTestFinished(() => redis.stop())
      ports.set('6379', redis.port)
      const joins = shop.here(blocks.find(({ language }) => language === 'js')?.code ?? '')
      const policy = section('Who may do what')
      shop.write('policy.json', policy.find(({ language }) => language === 'json')?.code ?? '')
      // The process also pins the policy, and so joins as that section says.
      startShop(joins.replace(/^joinFleet.*\n/m, policy.find(({ language }) => language === 'js')?.code ?? ''))
      await vi.waitFor(async () => {
        const { stdout } = await follow(`${line('npx chaos fleet ls')} --json`, as('controller'))
        expect((JSON.parse(stdout) as { readonly instances: readonly unknown[] }).instances).toHaveLength(2)
      })

      const plan = line('npx chaos fleet plan')
      expect(await follow(plan, as('controller'))).toMatchObject({ exitCode: EXIT.refused })
      const open = line('npx chaos fleet open')
      expect(await follow(open, as('controller')), 'who runs may not permit').toMatchObject({ exitCode: EXIT.refused })
      expect(await follow(open, as('operator'))).toMatchObject({ exitCode: EXIT.ok })
      expect(await follow(plan, as('controller'))).toMatchObject({ exitCode: EXIT.ok })
      const ran = await follow(line('npx chaos fleet run stock-is-down.yaml'), as('controller'))
      expect(ran.exitCode, ran.stdout + ran.stderr).toBe(EXIT_CODES.pass)

      const fault = line("npx chaos fleet run 'stock")
      const tooLong = fault.replace('run', 'plan').replace('30s', '2m')
      const byPolicy = await follow(tooLong, `${as('controller')}\nexport CHAOS_FLEET_POLICY=policy.json`)
      expect(byPolicy).toMatchObject({ exitCode: EXIT.refused })
      expect(byPolicy.stdout).toContain('refuses it by its closest rule, "drills of the shop": the fault would stay')
      const tooMany = await follow(fault.replace(',cap=1', ''), as('controller'))
      expect(tooMany).toMatchObject({ exitCode: EXIT.refused })
      expect(tooMany.stderr, 'the first refusal ends it').toMatch(
        /[12] of 2 instances refused the plan\..*drills of the shop/,
      )

      const running = endsAfterTest(start(fault, as('controller')))
      await vi.waitFor(async () => expect([...(await left())].sort()).toEqual([7, null]))
      const watched = await follow(`${line('npx chaos fleet watch')} --once`, as('controller'))
      expect(watched.stdout).toContain('1 applied')
      const exited = once(running, 'exit')
      const halted = await follow(line('npx chaos fleet halt'), as('halter'))
      expect(halted.stdout).toMatch(/^halted: the fleet shop, .*: the error budget is gone\n/)
      expect(await exited).toEqual([EXIT_CODES.inconclusive, null])
      expect(await left()).toEqual([7, 7])
      await vi.waitFor(async () => {
        const { stdout } = await follow(line('npx chaos fleet ls'), as('operator'))
        expect(stdout).toMatch(/^fleet shop: halted/)
        expect(stdout.match(/ idle /g)).toHaveLength(2)
      })

      const audit = await follow(line('npx chaos fleet audit --since'), as('controller'))
      expect(audit.stdout).toMatch(/ permit .* activate .* halt .*/s)
      const journal = await follow(line('npx chaos fleet audit --journal'), as('controller'))
      expect(journal.stdout).toMatch(/the chain of \d+ entries is whole\nthe audit log has noted 3 heads of it/)
    },
    SERVER_TIMEOUT_MS,
  )

  it('runs the experiment on one host without Redis', async () => {
    const blocks = section('One host without Redis')
    const socket = join(shop.path, 'run', 'relay.sock')
    const path = (text: string): string => text.replaceAll('/run/user/1000/shop/relay.sock', socket)
    shop.write('relay.mjs', path(blocks.find(({ file }) => file === 'relay.mjs')?.code ?? ''))
    endsAfterTest(start('node relay.mjs'))
    const code = path(blocks.find((one) => one.file === undefined && one.language === 'js')?.code ?? '')
    startShop(code, "import { relayAgentTransport } from '@chaos/fleet'")
    const command = path(blocks.find(({ language }) => language === 'sh')?.code.split('\n')[1] ?? '')
    const url = /--on '(.*)'/.exec(command)?.[1] ?? ''
    await vi.waitFor(async () => {
      const { stdout } = await follow(`npx chaos fleet ls --json --on '${url}'`)
      expect((JSON.parse(stdout) as { readonly instances: readonly unknown[] }).instances).toHaveLength(2)
    })
    const ran = await follow(command)
    expect(ran.exitCode, ran.stdout + ran.stderr).toBe(EXIT_CODES.pass)
    expect(await left()).toEqual([7, 7])
  })
})
