// One message at a time, each after the answer to the one before; and `process.send` to a partner.

import { node } from './contenders.mjs'
import { partner } from './partner.mjs'

/** A contender that sends messages of this many bytes with the function that `connected` returns. */
export const oneByOne = (bytes, connected) =>
  node(async context => {
    const send = await connected(context)
    return async count => {
      for (let index = 0; index < count; index += 1) await send()
      return { work: count * bytes }
    }
  })

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
