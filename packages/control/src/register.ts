import { registerProcess } from './preload/register-process.js'

void registerProcess()
