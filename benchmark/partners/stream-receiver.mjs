// One of the receivers of a channel: `stream-receiver.mjs OBJECT SIZE`. It answers each message with the number of messages
// that it has received since the last answer.

import { Channel } from '../shared/ours.mjs'
import { ready } from './channel.mjs'

const [, , object, size] = process.argv
const channel = Channel.open(object)
const target = Buffer.alloc(Number(size))
let received = 0
process.on('message', () => {
  process.send(received)
  received = 0
})
ready()
const visit = () => {
  received += 1
}
while ((await channel.receiveInto(target)) !== undefined) {
  received += 1
  channel.drain(visit)
}
