// A forked process that says when it is up, answers each message with the same, ignores SIGTERM if told so, and stays.
if (process.argv.includes('--ignore-sigterm')) process.on('SIGTERM', () => undefined)
process.on('message', (message) => process.send(message))
process.on('disconnect', () => process.exit())
process.send('up')
