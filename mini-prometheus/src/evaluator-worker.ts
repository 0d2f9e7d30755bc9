import { workerData } from 'node:worker_threads'
import { runEvaluator, type EvaluatorSettings } from './evaluator.js'

runEvaluator(workerData as EvaluatorSettings)
