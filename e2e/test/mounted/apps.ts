/** A small app of this folder that mounts the endpoint in one line. */
export interface MountedApp {
  /** What the documents call it. */
  readonly name: string
  /** Its file in `apps/`. */
  readonly file: string
  /** Packages whose installed versions the documents show. */
  readonly packages: readonly string[]
  /** The lowest major of Node.js that its packages support. */
  readonly from: number
  /** Whether it has WebSockets of its own at `/live`. */
  readonly isLive: boolean
  /** Whether it serves TLS, with the files that `TLS_KEY` and `TLS_CERT` name. */
  readonly isTls?: boolean
}

export const APPS: readonly MountedApp[] = [
  { name: '`node:http`', file: 'node-http.mjs', packages: [], from: 18, isLive: true },
  { name: '`node:https`', file: 'node-https.mjs', packages: [], from: 18, isLive: false, isTls: true },
  { name: '`node:http2`, `allowHTTP1`', file: 'node-http2.mjs', packages: [], from: 18, isLive: true, isTls: true },
  { name: 'Express', file: 'express.mjs', packages: ['express'], from: 18, isLive: true },
  { name: 'Fastify', file: 'fastify.mjs', packages: ['fastify'], from: 20, isLive: true },
  {
    name: 'Fastify, `serverFactory`',
    file: 'fastify-server-factory.mjs',
    packages: ['fastify'],
    from: 20,
    isLive: false,
  },
  {
    name: 'NestJS on Express',
    file: 'nest-express.mjs',
    packages: ['@nestjs/core', '@nestjs/platform-express'],
    from: 20,
    isLive: true,
  },
  {
    name: 'NestJS on Fastify',
    file: 'nest-fastify.mjs',
    packages: ['@nestjs/core', '@nestjs/platform-fastify'],
    from: 20,
    isLive: true,
  },
  { name: 'Hono', file: 'hono.mjs', packages: ['hono', '@hono/node-server'], from: 20, isLive: true },
]

/** Whether the packages of an app support a version of Node.js. */
export function supports({ from }: MountedApp, version: string): boolean {
  return Number.parseInt(version, 10) >= from
}
