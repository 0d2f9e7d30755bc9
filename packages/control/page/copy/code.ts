import type { InjectionRequest } from '../data/types.js'
import { literal } from './literal.js'
import { noteOf, type Copied, type Place } from './place.js'

/** The request as a module that injects it: plain JavaScript, which is TypeScript as well. */
export function code(request: InjectionRequest, place: Place): Copied {
  const lines = [
    `import { chooseProcess, connect } from '@chaos/control'`,
    ``,
    `const chaos = await connect(await chooseProcess(${placeOf(place)}))`,
    `const injection = await chaos.inject(${argumentsOf(request)})`,
    `console.log(injection.id, injection.status)`,
    ...(request.connection === undefined
      ? []
      : [`// Until here, the fault is in force. It ends with the connection, at the latest with its lease.`]),
    `await chaos.close()`,
    ``,
  ]
  return { text: lines.join('\n'), note: noteOf(place) }
}

/** The request as a test for Node.js' own runner, against the running process. */
export function testCode(request: InjectionRequest, place: Place): Copied {
  const { connection: _connection, ...rest } = request
  const held = { ...rest, connection: 'of the test' }
  const lines = [
    `import assert from 'node:assert/strict'`,
    `import { test } from 'node:test'`,
    `import { chooseProcess, connect } from '@chaos/control'`,
    ``,
    `test(${literal(`the app withstands ${request.fault} on ${request.target}`)}, async () => {`,
    `  const chaos = await connect(await chooseProcess(${placeOf(place)}))`,
    `  try {`,
    `    const injection = await chaos.inject(${argumentsOf(held, '    ')})`,
    `    // Use the app here, and assert what must hold meanwhile.`,
    `    const ended = await chaos.stop(injection.id)`,
    `    assert.notEqual(ended.landedAt, undefined, 'The fault affected nothing.')`,
    `  } finally {`,
    `    await chaos.close()`,
    `  }`,
    `})`,
    ``,
  ]
  return { text: lines.join('\n'), note: noteOf(place) }
}

/** The options of the command as those of `chooseProcess`: `--token-file` is `tokenFile`. */
function placeOf(place: Place): string {
  const flags: Record<string, string> = {}
  for (let index = 0; index + 1 < place.length; index += 2) {
    const name = (place[index] ?? '').slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
    flags[name] = place[index + 1] ?? ''
  }
  return literal(flags)
}

function argumentsOf({ target, fault, options = {}, connection, ...how }: InjectionRequest, indent = ''): string {
  const all = [target, fault, options, { ...how, ...(connection === undefined ? {} : { hold: 'connection' }) }]
  return `\n${all.map((one) => `${indent}  ${literal(one)},`).join('\n')}\n${indent}`
}
