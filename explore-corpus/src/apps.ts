import { cache } from './cache/index.js'
import type { CorpusApp } from './shared/corpus-app.js'
import { jobs } from './jobs/index.js'
import { outbox } from './outbox/index.js'
import { saga } from './saga/index.js'
import { shop } from './shop/index.js'

/** The apps of the corpus. */
export const apps: readonly CorpusApp[] = [shop, saga, outbox, cache, jobs]
