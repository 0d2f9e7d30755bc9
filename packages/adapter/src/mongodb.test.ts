import { expect, it } from 'vitest'
import * as entry from './mongodb.js'

it('exports', () => expect(Object.keys(entry)).toEqual(['mongoCommands']))
