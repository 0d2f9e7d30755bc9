import { execFileSync } from 'node:child_process'
import type { Browser, Page } from 'playwright-core'
import { main } from '@chaos/cli'
import type { ControlClient } from '@chaos/control'
import { parseExperiment } from '@chaos/experiment'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chromiumPath, launchBrowser } from '../../src/browser.js'
import { exampleValues } from './example-values.js'
import { everyFault, recordingController, type Asked } from './recording-controller.js'
import { servePage, type PageServer } from './shop.js'
import { visitSignedIn } from './visitor.js'

const program = chromiumPath()

describe.runIf(program !== undefined || process.env['CHAOS_REQUIRE_SERVICES'] === 'all')(
  'the form of every fault (skipped without Chromium: Debian package chromium, or CHROMIUM_PATH)',
  () => {
    const { controller, asked } = recordingController()
    let browser: Browser
    let server: PageServer
    let page: Page

    beforeAll(async () => {
      browser = await launchBrowser(program ?? '')
      server = await servePage(controller)
      page = (await visitSignedIn(browser, server.url)).page
    })
    afterAll(async () => {
      await browser.close()
      await server.close()
    })

    it('has faults to try', () => expect(everyFault.length).toBeGreaterThan(80))

    it.each(everyFault.map((info) => [info.name, info] as const))(
      '%s: what is filled in arrives, and so does what is copied',
      async (name, info) => {
        const options = exampleValues(info)
        const copied = await page.evaluate<Copied>(fillInAndCheck(name, options))
        await page.getByText('The check found nothing wrong.').waitFor()
        const wanted = { target: 'all', fault: name, options, how: { leaseMs: 30_000 } }
        expect(took()).toEqual([wanted])

        const given = Object.keys(options).length === 0 ? {} : { options }
        expect(parseExperiment(copied.YAML).method).toEqual([
          { inject: { target: 'all', fault: name, ...given, leaseMs: 30_000 } },
        ])
        await dryRun(copied.CLI)
        expect(took()).toEqual([{ ...wanted, how: { leaseMs: 30_000, hold: 'lease' } }])
      },
    )

    /** What the controller was asked since the last call. */
    const took = (): readonly Asked[] => asked.splice(0)

    /** Runs a copied command line as a shell splits it. */
    async function dryRun(line: string): Promise<void> {
      const words = execFileSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' })
        .split('\0')
        .slice(0, -1)
      expect(words.slice(0, 2)).toEqual(['npx', 'chaos'])
      const said: string[] = []
      const code = await main([...words.slice(2), '--dry-run'], {
        out: (text) => said.push(text),
        err: (text) => said.push(text),
        isTerminal: false,
        env: { CHAOS_TOKEN: 'a-token-that-is-long-enough' },
        signal: new AbortController().signal,
        discover: () => Promise.resolve([]),
        connect: () =>
          Promise.resolve({
            ...controller,
            closed: new Promise(() => undefined),
            close: () => Promise.resolve(),
            onAppEvent: () => () => undefined,
          } as unknown as ControlClient),
      })
      expect(code, said.join('\n')).toBe(0)
    }
  },
)

/** What the form gives to copy. */
interface Copied {
  readonly YAML: string
  readonly CLI: string
}

/** A script that fills in the form of a fault through its controls, with the events of a person at the keyboard, and presses Check. */
function fillInAndCheck(fault: string, options: Readonly<Record<string, unknown>>): string {
  return `(() => {
    const enter = (control, text) => {
      control.value = text
      if (control.value !== text) throw new Error(control.id + ' does not take ' + text)
      control.dispatchEvent(new Event('input', { bubbles: true }))
      control.dispatchEvent(new Event('change', { bubbles: true }))
    }
    const enterScalar = (group, value) => {
      const [kind, text, number, flag] = group.children
      if (value === null) return enter(kind, 'null')
      enter(kind, { string: 'text', number: 'number', boolean: 'true or false' }[typeof value])
      enter({ string: text, number, boolean: flag }[typeof value], String(value))
    }
    const enterField = (field, value) => {
      const fields = field.querySelector('.fields')
      const scalar = field.querySelector('.scalar')
      if (fields !== null) {
        for (const [path, one] of Object.entries(value)) {
          fields.querySelector(':scope > button').click()
          const row = fields.querySelector('.rows').lastElementChild
          enter(row.firstElementChild, path)
          enterScalar(row.querySelector('.scalar'), one)
        }
      } else if (scalar !== null) enterScalar(scalar, value)
      else {
        const control = field.querySelector('input, select, textarea')
        const isJson = control.placeholder === 'JSON'
        enter(control, isJson ? JSON.stringify(value) : Array.isArray(value) ? value.join('\\n') : String(value))
      }
    }
    enter(document.querySelector('#form-fault'), '${fault}')
    for (const [name, value] of Object.entries(${JSON.stringify(options)}))
      enterField(document.querySelector('[data-field="' + name + '"]'), value)
    const copied = (name) => {
      document.querySelector('#copy-' + name).click()
      return document.querySelector('.copied').textContent
    }
    const all = { YAML: copied('YAML'), CLI: copied('CLI') }
    ;[...document.querySelectorAll('button')].find((one) => one.textContent === 'Check only').click()
    return all
  })()`
}
