import { once } from 'node:events'
import { connect } from '@chaos/control'
import { WebSocket } from 'ws'
import { TOKEN, type AppProcess } from './app-process.js'

/** Ends what watches. */
export type Leave = () => Promise<void>

/** Opens an event stream, as `chaos watch` does. */
export async function openStream({ origin }: AppProcess): Promise<Leave> {
  const client = await connect({ url: `${origin}/chaos`, token: TOKEN })
  client.follow(() => undefined)
  return () => client.close()
}

/** Signs in to the page, loads it, and opens its event stream, as a browser does. */
export async function openPage({ origin }: AppProcess): Promise<Leave> {
  const signedIn = await fetch(`${origin}/chaos/sign-in`, {
    method: 'POST',
    headers: { accept: 'text/html', origin },
    body: new URLSearchParams({ token: TOKEN }),
    redirect: 'manual',
  })
  const [cookie = ''] = (signedIn.headers.get('set-cookie') ?? '').split(';', 1)
  for (const path of ['', 'page.js', 'page.css', 'info', 'targets', 'faults', 'injections']) {
    const accept = path === '' ? 'text/html' : '*/*'
    const answer = await fetch(`${origin}/chaos/${path}`, { headers: { accept, cookie } })
    if (!answer.ok) throw new Error(`Expected /chaos/${path} to be there, got ${answer.status}.`)
    await answer.text()
  }
  const socket = new WebSocket(`${origin.replace('http', 'ws')}/chaos/events`, 'chaos.v1', {
    headers: { cookie, origin },
  })
  await once(socket, 'message')
  return async () => {
    socket.close()
    await once(socket, 'close')
  }
}
