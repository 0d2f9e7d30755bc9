/**
 * Returns whether a dispatcher answers requests itself and sends nothing by undici: a mock (`MockAgent`, `MockPool` or
 * `MockClient`), or an object of the application that undici did not make.
 */
export function isMock(dispatcher: object): boolean {
  if ('isMockActive' in dispatcher) return true
  if ('intercept' in dispatcher && typeof dispatcher.intercept === 'function') return true
  // Dispatchers of undici are emitters.
  return !('emit' in dispatcher)
}
