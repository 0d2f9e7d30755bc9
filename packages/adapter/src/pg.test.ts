import { expect, it } from 'vitest'
import * as entry from './pg.js'

it('exports', () => expect(Object.keys(entry)).toEqual(['pgQueries']))
