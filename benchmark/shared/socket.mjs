// A Unix socket to a partner, and one message at a time over it.

import { once } from 'node:events'
import { unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { partner } from './partner.mjs'

/** The path of a contender's socket. */
export function socketPath(object) {
  return join(tmpdir(), `os-ipc${object.replaceAll('/', '-')}.sock`)
}

/** Returns a function that sends `length` bytes and waits for `answer` bytes. */
export async function socketTo(length, answer, context) {
  const path = socketPath(context.object)
  await partner('socket', [path, length, answer].map(String), context)
  const socket = connect(path)
  await once(socket, 'connect')
  // The partner will be killed, and would leave the file behind.
  unlinkSync(path)
  context.atTheEnd(() => socket.destroy())
  let missing = 0
  let resolve
  socket.on('data', data => {
    missing -= data.length
    if (missing === 0) resolve()
  })
  const message = Buffer.alloc(length)
  return () =>
    new Promise(done => {
      resolve = done
      missing = answer
      socket.write(message)
    })
}
