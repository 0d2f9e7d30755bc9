import { bullmqSubject } from './bullmq.js'
import { cockatielSubject } from './cockatiel.js'
import { ioredisRemedy, ioredisSubject } from './ioredis.js'
import { opossumRemedy, opossumSubject } from './opossum.js'
import { pRetryRemedy, pRetrySubject } from './p-retry.js'
import { pgPoolRemedy, pgPoolSubject } from './pg-pool.js'
import { piscinaSubject } from './piscina.js'
import type { Subject } from './subject.js'
import { undiciSubject } from './undici.js'
import { workerpoolSubject } from './workerpool.js'

/** The libraries. */
export const subjects: readonly Subject[] = [
  pRetrySubject,
  pRetryRemedy,
  cockatielSubject,
  opossumSubject,
  opossumRemedy,
  undiciSubject,
  piscinaSubject,
  workerpoolSubject,
  ioredisSubject,
  ioredisRemedy,
  pgPoolSubject,
  pgPoolRemedy,
  bullmqSubject,
]
