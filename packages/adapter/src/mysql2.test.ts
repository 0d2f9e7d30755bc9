import { expect, it } from 'vitest'
import * as entry from './mysql2.js'

it('exports', () => expect(Object.keys(entry)).toEqual(['mysqlQueries']))
