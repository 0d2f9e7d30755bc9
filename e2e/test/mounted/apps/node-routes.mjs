// What the servers of Node.js itself answer.
import { add, find } from './scores.mjs'

export async function answer(req, res) {
  const send = (status, body) => res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  const [, place, name] = req.url.split('/')
  if (place !== 'scores') return send(404, { error: 'no such page' })
  if (req.method !== 'POST') {
    const { status, body } = await find(name)
    return send(status, body)
  }
  let text = ''
  for await (const chunk of req.setEncoding('utf8')) text += chunk
  return send(201, await add(JSON.parse(text)))
}
