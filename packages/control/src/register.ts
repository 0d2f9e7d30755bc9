import { registerProcess } from './register/register-process.js'

void registerProcess()
