// Sends to or receives from a channel until it is killed. What it has done is in shared memory, where its death cannot undo it.

import { Channel, SharedMemory } from '../../index.js'
import { noteReceived, noteSent, type Stamped, stamp, unstamp } from '../channel-messages.ts'

const [name = '', role, ledgerOf = '', own = '0', senders = '0'] = process.argv.slice(2)
const channel = Channel.open<Stamped>(name)
using ledger = SharedMemory.open(ledgerOf)
const words = new Int32Array(ledger.buffer)
const number = Number(own)
const { codec } = channel
process.stdout.write('"ready"\n')
if (role === 'send') {
  for (let sequence = 1; ; sequence++) {
    const message = stamp(codec, number, sequence)
    if (sequence % 7 === 0) await channel.sendMany([message])
    else await channel.send(message)
    noteSent(words, number, sequence)
  }
} else {
  for (;;) {
    const message = await channel.receive()
    const wrong = noteReceived(words, Number(senders), number, unstamp(message))
    if (wrong !== undefined) process.stdout.write(`${JSON.stringify(wrong)}\n`)
  }
}
