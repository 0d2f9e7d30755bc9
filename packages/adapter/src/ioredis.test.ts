import { expect, it } from 'vitest'
import * as entry from './ioredis.js'

it('exports', () => expect(Object.keys(entry)).toEqual(['redisCommands']))
