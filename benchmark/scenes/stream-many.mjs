import { once } from 'node:events'

import { node } from '../shared/contenders.mjs'
import { partner } from '../shared/partner.mjs'
import { reported, throughput } from '../shared/targets.mjs'

const BYTES = 64

const answerOf = async (child, question) => {
  const answered = once(child, 'message')
  child.send(question)
  return (await answered)[0]
}

/** So many processes send, and so many receive: all through one channel. */
const crowd = number =>
  node(async context => {
    const { Channel } = await import('../shared/ours.mjs')
    const { object, atTheEnd } = context
    const channel = Channel.create(object, { capacity: 1 << 22, codec: 'bytes' })
    atTheEnd(() => channel.unlink())
    const all = name =>
      Promise.all(Array.from({ length: number }, () => partner(name, [object, String(BYTES)], context)))
    const [receivers, senders] = [await all('stream-receiver'), await all('stream-sender')]
    return async count => {
      const before = channel.info().sent
      const share = index => Math.floor((count + index) / number)
      await Promise.all(senders.map((sender, index) => answerOf(sender, { send: share(index) })))
      // A receiver tells how many messages it has had since the last question.
      let received = 0
      while (received < count) {
        const numbers = await Promise.all(receivers.map(receiver => answerOf(receiver, 'how many')))
        received += numbers.reduce((total, one) => total + one, 0)
      }
      if (received !== count || channel.info().sent - before !== count)
        throw new Error(`${received} of ${count}`)
      return { work: received * BYTES }
    }
  })

export const scene = {
  name: 'stream-many',
  title: 'A stream of messages of 64 B through one channel, from several processes to several',
  operation: 'a message',
  work: BYTES,
  contenders: {
    'one sender, one receiver': crowd(1),
    '4 senders, 4 receivers': crowd(4),
  },
  targets: reported(throughput('4 senders, 4 receivers', 'one sender, one receiver', 0.2)),
}
