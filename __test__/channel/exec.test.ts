// A process that becomes another program: execve(2) keeps its pid, and no handle.

import { list } from '../../index.js'
import { child } from '../shared/child.ts'
import { execve } from '../shared/needs.ts'
import { requires } from '../shared/requires.ts'
import { ownChannel } from './helpers/channel.ts'

requires(execve)('the new image gives up the slots and locks of the old one', async t => {
  const channel = ownChannel<Buffer>(t, { capacity: 256, codec: 'bytes' })
  const other = child(t, 'channel/exec-with-channel.ts', { args: [channel.name, 3] })
  t.like(await other.next(), { sending: undefined, senders: [other.pid] })
  const listed = list().channels.find(({ name }) => name === channel.name)
  t.is(listed?.handles, 2, 'its handle, and that of the test')
  other.send('end')
  t.is(String(channel.tryReceive()), 'again')
  t.like(await other.exit, { code: 0, signal: null })
  t.deepEqual(channel.info().senders, [])
})
