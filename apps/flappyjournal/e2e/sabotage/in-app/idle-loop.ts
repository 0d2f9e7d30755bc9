// A loop worker that lives and does nothing.
import { parentPort } from 'node:worker_threads'

parentPort?.once('message', () => parentPort?.close())
