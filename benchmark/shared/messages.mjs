// `process.send` to a partner, and one message at a time over it.

import { partner } from './partner.mjs'

/** Returns a function that sends a message and waits for the answer to it. */
export async function channelTo(message, context, serialization) {
  const child = await partner('messages', [], context, { serialization })
  let resolve
  child.on('message', () => resolve())
  return () =>
    new Promise(done => {
      resolve = done
      child.send(message)
    })
}
