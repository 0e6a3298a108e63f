// One of the senders of a channel: `stream-sender.mjs OBJECT SIZE`. It answers each `{ send }` when so many messages are
// sent.

import { Channel } from '../shared/ours.mjs'
import { ready } from './channel.mjs'

const [, , object, size] = process.argv
const channel = Channel.open(object)
const data = Buffer.alloc(Number(size), 7)
process.on('message', async ({ send }) => {
  for (let index = 0; index < send; index += 1) if (!channel.trySend(data)) await channel.send(data)
  process.send('done')
})
ready()
