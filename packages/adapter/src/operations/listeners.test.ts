import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { listenOnce, listenTo } from './listeners.js'

describe('listenTo', () => {
  it('puts one listener on an object, however many listen, and leaves nothing', () => {
    const emitter = new EventEmitter()
    const before = Object.getOwnPropertyDescriptors(emitter)
    const heard: number[] = []
    const stops = [1, 2, 3].map((nth) => listenTo(emitter, 'close', () => heard.push(nth)))
    stops.push(listenTo(emitter, 'end', () => undefined))
    expect(emitter.listenerCount('close')).toBe(1)
    emitter.emit('close')
    expect(heard).toEqual([1, 2, 3])
    for (const stop of [...stops, ...stops]) stop()
    expect(emitter.eventNames()).toEqual([])
    expect(emitter.getMaxListeners()).toBe(EventEmitter.defaultMaxListeners)
    expect(Object.keys(emitter)).toEqual(Object.keys(before))
  })

  it('leaves an application its own number of listeners', async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error): void => void warnings.push(warning)
    process.on('warning', onWarning)
    const emitter = new EventEmitter()
    const stop = listenTo(emitter, 'close', () => undefined)
    for (let nth = 0; nth < EventEmitter.defaultMaxListeners; nth += 1) emitter.on('close', () => undefined)
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', onWarning)
    stop()
    expect(warnings).toEqual([])
  })

  it('keeps a limit that the application sets meanwhile', () => {
    const emitter = new EventEmitter()
    const stop = listenTo(emitter, 'close', () => undefined)
    emitter.setMaxListeners(50)
    stop()
    expect(emitter.getMaxListeners()).toBe(50)
  })
})

describe('listenOnce', () => {
  it('hears one event and leaves', () => {
    const emitter = new EventEmitter()
    const heard: unknown[] = []
    listenOnce(emitter, 'connect', (what) => heard.push(what))
    emitter.emit('connect', 1)
    emitter.emit('connect', 2)
    expect([heard, emitter.listenerCount('connect')]).toEqual([[1], 0])
  })
})
