// A forked process that says when it is up and answers each message with the same.
process.on('message', (message) => process.send(message))
process.on('disconnect', () => process.exit())
process.send('up')
