import type { IncomingMessage, ServerResponse } from 'node:http'
import { ChaosError, type ChaosController, type ControllerInfo } from '@chaos/core'
import type { AccessControl, Page } from '../api/api.js'
import type { AuditLog } from '../api/audit-log.js'
import { readForm, type BodyLimits } from '../api/body.js'
import { errorInfo } from '../api/error-table.js'
import { asChaosError, problemOf } from '../api/errors.js'
import { MAX_ID, MAX_PATH } from '../api/routes.js'
import { createAssets, isAsset } from './assets.js'
import { PAGE_HEADERS, sendDocument, type Document } from './document.js'
import type { OneTimeKeys } from './one-time-keys.js'
import { failedOutcome, stoppedOutcome } from './outcome.js'
import { lastView, pageView, type About } from './page-view.js'
import { recordForm, STOP_ONE, type Asked } from './record-form.js'
import { isSame } from './secrets.js'
import { isFromOwnPage, isNavigation, wantsHtml } from './sender.js'
import { nameOf, type Outcome, type Session, type Sessions } from './sessions.js'
import { failureView, passView, signInView } from './sign-in-view.js'

/** The checks of an endpoint that the page needs beside those of the API. */
export interface PageAccess extends AccessControl {
  /** Checks where a request comes from. @throws ChaosError `CHAOS_FORBIDDEN` */
  readonly checkSender: (req: IncomingMessage) => unknown
  /** Checks a token that somebody typed. @throws ChaosError `CHAOS_UNAUTHORIZED`, `CHAOS_TOO_MANY_REQUESTS` */
  readonly checkToken: (token: string) => void
  /** Counts a request that needs no token. @throws ChaosError `CHAOS_TOO_MANY_REQUESTS` */
  readonly visit: () => void
}

/** What a page stands on. */
export interface PageParts {
  readonly controller: ChaosController
  readonly access: PageAccess
  readonly audit: AuditLog
  readonly sessions: Sessions
  readonly keys: OneTimeKeys
  readonly about: About
  readonly basePath: string
  readonly limits: BodyLimits
}

/** A request, and the description of the controller. */
interface Visit extends Asked {
  readonly info: ControllerInfo
}

type Method = 'GET' | 'POST'

/** The largest form, in bytes. It fits the longest token with every character encoded. */
const MAX_FORM_BYTES = 8_192

/** Creates the page for people beside the API: HTML and forms that need no script, and the files of the script. */
export function createPage({ controller, access, audit, sessions, keys, about, basePath, limits }: PageParts): Page {
  const assetOf = createAssets()
  const formLimits = { ...limits, maxBodyBytes: Math.min(limits.maxBodyBytes, MAX_FORM_BYTES) }

  function routeOf(req: IncomingMessage, path: string): Readonly<Partial<Record<Method, Run>>> | undefined {
    if (path === '/') return wantsHtml(req) ? { GET: showPage } : undefined
    if (path === '/sign-in') return { GET: enter, POST: signIn }
    if (path === '/sign-out') return { POST: signOut }
    if (path === '/stop-all') return { POST: stopAll }
    if (STOP_ONE.test(path)) return { POST: stopOne }
    return isAsset(path) ? { GET: showAsset } : undefined
  }
  type Run = (visit: Visit) => void | Promise<void>

  async function showPage({ req, res, info }: Visit): Promise<void> {
    const [whole = ''] = (req.url ?? '').split('?', 1)
    if (!whole.endsWith('/')) {
      redirect(res, `${basePath.slice(basePath.lastIndexOf('/') + 1)}/`)
      return
    }
    if (!isFromOwnPage(req) && isNavigation(req)) {
      access.visit()
      sendDocument(res, 200, passView(about.name))
      return
    }
    checkOwnPage(req)
    const session = sessions.of(req)
    if (session === undefined) {
      askToSignIn(res, undefined)
      return
    }
    access.admit(req)
    const [targets, faults, injections] = await Promise.all([
      controller.targets(),
      controller.faults(),
      controller.injections(),
    ])
    const document = pageView({ about, info, targets, faults, injections }, session)
    if (req.method === 'GET') session.outcome = undefined
    sendDocument(res, 200, document)
  }

  function askToSignIn(res: ServerResponse, failure: string | undefined, base = './'): void {
    access.visit()
    sendDocument(res, 401, signInView(about.name, failure, base), { 'www-authenticate': 'Bearer' })
  }

  /** Signs in by a one-time key, or leads to the page. */
  function enter(visit: Visit): void {
    const { req, res } = visit
    const once = new URLSearchParams((req.url ?? '').split('?')[1] ?? '').get('once')
    if (once === null) {
      checkOwnPage(req)
      if (sessions.of(req) === undefined) askToSignIn(res, undefined)
      else redirect(res, './')
      return
    }
    if (!isNavigation(req)) checkOwnPage(req)
    // A browser that only looks ahead must not use up the key.
    if (req.method === 'HEAD' || req.headers['sec-purpose'] !== undefined || req.headers['purpose'] !== undefined)
      throw new ChaosError('CHAOS_INVALID_REQUEST', 'A one-time address cannot be loaded in advance. Open it.')
    if (keys.redeem(once)) visit.by = 'a one-time address'
    if (visit.by !== undefined) redirect(res, './', { 'set-cookie': sessions.begin(req) })
    else askToSignIn(res, 'This address has been used, or is older than a minute. Run `chaos ui` again.')
  }

  async function signIn(visit: Visit): Promise<void> {
    const { req, res } = visit
    checkOwnPage(req)
    const form = await readForm(req, formLimits)
    try {
      access.checkToken(form.get('token') ?? '')
    } catch (thrown) {
      const error = asChaosError(thrown)
      if (error.code !== 'CHAOS_UNAUTHORIZED') throw error
      const document = signInView(about.name, 'The token is wrong. Nothing was changed.')
      sendDocument(res, 401, document, { 'www-authenticate': 'Bearer' })
      return
    }
    visit.by = 'the token'
    redirect(res, './', { 'set-cookie': sessions.begin(req) })
  }

  async function signOut(visit: Visit): Promise<void> {
    if ((await sessionOfForm(visit)) === undefined) return
    redirect(visit.res, './', { 'set-cookie': sessions.end(visit.req) })
  }

  async function stopAll(visit: Visit): Promise<void> {
    const session = await sessionOfForm(visit)
    if (session === undefined) return
    const stopping = controller.stopAll().then(({ stopped }) => {
      visit.ids = stopped.map(({ id }) => id)
      return stoppedOutcome(stopped)
    }, failedOutcome)
    showOutcome(visit, session, await stopping)
  }

  async function stopOne(visit: Visit): Promise<void> {
    const session = await sessionOfForm(visit)
    if (session === undefined) return
    const id = decodedId(visit.path)
    visit.ids = [id]
    const stopping = controller.stop(id).then((state) => stoppedOutcome([state]), failedOutcome)
    showOutcome(visit, session, await stopping)
  }

  /** Where chaos is off meanwhile, the page is hidden once nothing is in force: what was done is said at once. */
  function showOutcome({ res, path, info }: Visit, session: Session, outcome: Outcome): void {
    if (info.refusal !== undefined) {
      sendDocument(res, outcome.failed ? 500 : 200, lastView(about, outcome, baseOf(path)))
      return
    }
    session.outcome = outcome
    redirect(res, baseOf(path))
  }

  /**
   * The session of a form that it sent itself. Without a session, the answer asks to sign in.
   *
   * @throws ChaosError `CHAOS_FORBIDDEN` when another page sent the form
   */
  async function sessionOfForm(visit: Visit): Promise<Session | undefined> {
    const { req, res, path } = visit
    checkOwnPage(req)
    const session = sessions.of(req)
    if (session === undefined) {
      closeUnread(req, res)
      askToSignIn(
        res,
        'The session has ended, and nothing was changed. Sign in, then press the button again.',
        baseOf(path),
      )
      return undefined
    }
    const form = await readForm(req, formLimits)
    if (isSame(form.get('csrf') ?? '', session.csrf)) {
      visit.by = nameOf(session)
      return session
    }
    throw new ChaosError(
      'CHAOS_FORBIDDEN',
      'The form is of an earlier session, so nothing was changed. Load the page again, then press the button again.',
    )
  }

  async function showAsset({ req, res, path }: Visit): Promise<void> {
    checkOwnPage(req)
    if (sessions.of(req) === undefined) access.visit()
    const asset = await assetOf(path)
    if (asset === undefined)
      throw new ChaosError('CHAOS_INTERNAL_ERROR', 'The file is not beside the code of @chaos/control.')
    const { type, etag, content } = asset
    const headers = { ...PAGE_HEADERS, 'cache-control': 'no-cache', etag }
    if (matches(req.headers['if-none-match'], etag)) {
      res.writeHead(304, headers).end()
      return
    }
    res.writeHead(200, { ...headers, 'content-type': type, 'content-length': content.length }).end(content)
  }

  function fail({ req, res, path }: Visit, thrown: unknown): void {
    const error = asChaosError(thrown)
    closeUnread(req, res)
    const document: Document = failureView(about.name, problemOf(error).detail, baseOf(path))
    sendDocument(res, errorInfo(error.code).status, document)
  }

  return {
    async answer(req, res, path, info) {
      const route = path.length > MAX_PATH ? undefined : routeOf(req, path)
      if (route === undefined) return false
      const visit: Visit = { req, res, path, info }
      try {
        access.checkSender(req)
        const run = req.method === 'HEAD' ? route.GET : route[req.method as Method]
        if (run === undefined) {
          const allow = Object.keys(route).flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
          res.setHeader('allow', allow.join(', '))
          throw new ChaosError('CHAOS_METHOD_NOT_ALLOWED', `This path takes ${allow.join(', ')}.`)
        }
        await run(visit)
      } catch (thrown) {
        fail(visit, thrown)
      }
      recordForm(audit, visit)
      return true
    },
    async answerUnseen(req, res, path) {
      if (req.method !== 'POST' || path !== '/stop-all') return false
      const asked: Asked = { req, res, path }
      try {
        access.checkSender(req)
        checkOwnPage(req)
        const session = sessions.of(req)
        if (session === undefined) return false
        const form = await readForm(req, formLimits)
        if (!isSame(form.get('csrf') ?? '', session.csrf)) return false
        asked.by = nameOf(session)
      } catch {
        return false
      }
      const outcome = await controller.stopAll().then(({ stopped }) => {
        asked.ids = stopped.map(({ id }) => id)
        return stopped.length === 0 ? undefined : stoppedOutcome(stopped)
      }, failedOutcome)
      if (outcome === undefined) return false
      sendDocument(res, outcome.failed ? 500 : 200, lastView(about, outcome, './'))
      recordForm(audit, asked)
      return true
    },
  }
}

/** @throws ChaosError `CHAOS_FORBIDDEN` when a page of another origin sent the request */
function checkOwnPage(req: IncomingMessage): void {
  if (isFromOwnPage(req)) return
  throw new ChaosError('CHAOS_FORBIDDEN', 'A page of another origin sent this request. Open the page itself.')
}

/** The way from a path to the base path. */
const baseOf = (path: string): string => '../'.repeat(path.split('/').length - 2) || './'

function decodedId(path: string): string {
  const id = decoded(STOP_ONE.exec(path)?.[1] ?? '')
  if (id.length <= MAX_ID) return id
  throw new ChaosError('CHAOS_URL_TOO_LONG', `The id has ${id.length} characters, more than ${MAX_ID}.`)
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new ChaosError('CHAOS_INVALID_REQUEST', 'The id of the injection is not encoded as a part of a URL.')
  }
}

/** Whether an `If-None-Match` names a tag. */
const matches = (given: string | undefined, etag: string): boolean =>
  (given ?? '').split(',').some((one) => one.trim().replace(/^W\//, '') === etag)

function redirect(res: ServerResponse, location: string, headers: Readonly<Record<string, string>> = {}): void {
  res.writeHead(303, { ...PAGE_HEADERS, 'cache-control': 'no-store', location, 'content-length': 0, ...headers }).end()
}

/** An unread body would block the connection, so it is closed. */
function closeUnread(req: IncomingMessage, res: ServerResponse): void {
  if (!req.complete) res.setHeader('connection', 'close')
}
