// Channels of other users, of other PID namespaces and of other versions.

import test from 'ava'

import { Channel, SharedMemory } from '../../index.js'
import { child } from '../shared/child.ts'
import { linux, requires } from '../shared/requires.ts'
import { asUser, otherPids } from '../shared/surroundings.ts'
import { ownChannel } from './helpers/channel.ts'
import { memoryName } from './helpers/objects.ts'

const nobody = asUser(65534)

requires(linux, nobody)(
  'a channel of another user is opened only if its mode and `owner` allow it',
  async t => {
    const closed = ownChannel(t)
    const open = ownChannel(t, { capacity: 256, mode: 0o666 })
    const theirs = async (name: string, ...args: string[]) =>
      child(t, 'channel/open.ts', { args: [name, ...args], within: [nobody] }).next()
    t.like(await theirs(closed.name, 'any'), { opened: 'EACCES' })
    // Root is trusted, so it needs no `owner`.
    t.like(await theirs(open.name), { opened: 'true' })
    t.is(await open.receive({ timeout: 5_000 }), 'hello')
  },
)

requires(linux, nobody)('a channel that another user planted is refused', async t => {
  const name = ownChannel(t).name
  Channel.unlink(name)
  const planted = child(t, 'channel/plant.ts', { args: [name], within: [nobody] })
  t.is(await planted.next(), 'planted')
  t.throws(() => Channel.open(name), { code: 'ERR_FOREIGN_OWNER' })
  t.throws(() => Channel.openOrCreate(name, { capacity: 64 }), { code: 'ERR_FOREIGN_OWNER' })
  const trusting = Channel.open(name, { owner: 'any' })
  trusting.close()
  t.true(Channel.unlink(name))
})

requires(linux, otherPids())('a process of another PID namespace is refused, and can unlink', async t => {
  const channel = ownChannel(t)
  const other = child(t, 'channel/open.ts', {
    args: [channel.name],
    within: [otherPids()],
    env: { REMOVE: 'by its name' },
  })
  t.deepEqual(await other.next(), { opened: 'ERR_NOT_SUPPORTED', removed: 'true' })
  t.throws(() => Channel.open(channel.name), { code: 'ENOENT' })
})

for (const how of ['by its name', 'by its handle']) {
  requires(linux, nobody)(`a user who may not remove a channel leaves it as it is: ${how}`, async t => {
    const channel = ownChannel(t, { capacity: 256, mode: 0o666 })
    const other = child(t, 'channel/open.ts', {
      args: [channel.name],
      within: [nobody],
      env: { REMOVE: how },
    })
    t.deepEqual(await other.next(), { opened: 'true', removed: 'EPERM' })
    t.is(await channel.receive({ timeout: 5_000 }), 'hello')
    t.true(channel.trySend('it goes on'))
    Channel.openOrCreate(channel.name, { capacity: 256 }).close()
    t.is(channel.tryReceive(), 'it goes on')
  })
}

test('another version of the layout is refused', t => {
  const channel = ownChannel(t)
  using memory = SharedMemory.open(memoryName(channel.name))
  new Int32Array(memory.buffer)[1] = 2
  t.throws(() => Channel.open(channel.name), { code: 'ERR_VERSION' })
  t.throws(() => Channel.openOrCreate(channel.name, { capacity: 64 }), { code: 'ERR_VERSION' })
})

test('two names with one hash are told apart', t => {
  const channel = ownChannel(t)
  using memory = SharedMemory.open(memoryName(channel.name))
  memory.write('/x', 256)
  t.throws(() => Channel.open(channel.name), { code: 'ERR_NAME_COLLISION' })
  t.throws(() => Channel.unlink(channel.name), { code: 'ERR_NAME_COLLISION' })
  memory.write(channel.name, 256)
})
