/** A pool's task: answers with its id, at once or after a while. */
export default async function task({ id, forMs = 0 }) {
  if (forMs > 0) await new Promise((resolve) => setTimeout(resolve, forMs))
  return id
}
