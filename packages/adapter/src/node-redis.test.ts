import { expect, it } from 'vitest'
import * as entry from './node-redis.js'

it('exports', () => expect(Object.keys(entry)).toEqual(['redisCommands']))
