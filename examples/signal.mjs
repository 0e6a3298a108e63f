// Signal between processes: this one waits, without blocking, until another one signals that it is ready.
// node examples/signal.mjs

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { Semaphore } from 'os-ipc'

const [role] = process.argv.slice(2)

if (role === 'server') {
  console.log('server: ready')
  Semaphore.open('/example-ready').post()
} else {
  const ready = Semaphore.create('/example-ready', { initial: 0 })
  try {
    fork(fileURLToPath(import.meta.url), ['server'])
    await ready.wait({ timeout: 10_000 })
    console.log('client: the server is ready')
  } finally {
    ready.unlink()
  }
}
