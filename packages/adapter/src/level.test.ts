import { expect, it } from 'vitest'
import * as entry from './level.js'

it('exports', () => expect(Object.keys(entry)).toEqual(['levelOperations']))
