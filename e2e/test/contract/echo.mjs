// A process that answers each message with the same, until its parent is gone.
process.on('message', (message) => process.send?.(message))
process.send?.('up')
