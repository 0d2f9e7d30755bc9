// A client that injects a fault and then waits, to be killed. It prints the id of the injection and the process id of its server.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'

const [bin, hold] = process.argv.slice(2)
const client = new Client({ name: 'killed-client', version: '1' })
const transport = new StdioClientTransport({ command: process.execPath, args: [bin], env: process.env })
await client.connect(transport)
const { structuredContent } = await client.callTool({
  name: 'inject',
  arguments: { target: 'bus', fault: 'drop-events', leaseMs: 60_000, hold },
})
console.log(JSON.stringify({ id: structuredContent.injection.id, server: transport.pid }))
setInterval(() => undefined, 1_000)
