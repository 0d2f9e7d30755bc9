import type { Point } from '../search/model.js'
import type { Kind } from './kinds.js'
import type { WatchedCall } from './points.js'

/**
 * The point of the latest call of each operation in each scope, as the outermost watch has numbered it. A fault beneath sees fewer
 * calls, so its own numbers say nothing to a replay.
 */
export class LatestPoints {
  readonly #points = new Map<string, Point>()

  readonly set = (kind: Kind, call: WatchedCall, point: Point): void => {
    this.#points.set(nameOf(kind, call), point)
  }

  get(kind: Kind, call: WatchedCall): Point | undefined {
    return this.#points.get(nameOf(kind, call))
  }
}

function nameOf({ target, name }: Kind, { operation, scope }: WatchedCall): string {
  return [target, name, String(operation), scope?.path ?? ''].join('\0')
}
