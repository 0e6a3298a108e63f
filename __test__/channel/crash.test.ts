// A process that dies at any moment holds up no other, and loses at most what it had taken.

import test, { type ExecutionContext } from 'ava'

import { Channel, list, Semaphore } from '../../index.js'
import { child, program } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { requires } from '../shared/requires.ts'
import { injected } from '../shared/surroundings.ts'
import { ownChannel } from './helpers/channel.ts'

/** More than the operations of three sends or receives with opening and closing the channel. */
const MOST = 120

const SENT = ['m1', 'm2', 'm3']

/** Kills one process after the other at each of its steps; `check` gets what each of them said before. */
async function atEachStep(
  t: ExecutionContext,
  role: 'send' | 'receive',
  check: (channel: Channel<string>, told: string[], step: number) => void,
): Promise<void> {
  let ended = 0
  let next = 1
  const crew = async () => {
    while (ended === 0) {
      const step = next
      next += 1
      // Small: the third message goes around the end of the ring.
      const channel = ownChannel<string>(t, { capacity: 64 })
      if (role === 'receive') for (const message of SENT) t.true(channel.trySend(message))
      const victim = child(t, 'channel/killed-at.ts', { args: [channel.name, role, step] })
      const { killed, code, stdout } = await victim.exit
      if (!killed) {
        t.is(code, 0, stdout)
        ended ||= step
      }
      const told = stdout
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line) as string)
      check(channel, told, step)
      t.is(channel.info().sending, undefined)
      t.is(channel.info().receiving, undefined)
      channel.close()
    }
  }
  await Promise.all([crew(), crew()])
  t.true(ended > 20 && ended < MOST, `it ended at step ${ended}`)
}

test.serial('a sender that is killed at any step has sent its first messages, and others go on', async t => {
  await atEachStep(t, 'send', (channel, told, step) => {
    const received: string[] = []
    while (channel.info().messages > 0) received.push(channel.tryReceive() as string)
    t.true(received.length === told.length || received.length === told.length + 1, `at step ${step}`)
    t.deepEqual(received, SENT.slice(0, received.length))
    t.true(channel.trySend('next'))
    t.is(channel.tryReceive(), 'next')
  })
})

test.serial('a receiver that is killed at any step loses at most its last message', async t => {
  await atEachStep(t, 'receive', (channel, told, step) => {
    t.deepEqual(told, SENT.slice(0, told.length))
    const left: string[] = []
    while (channel.info().messages > 0) left.push(channel.tryReceive() as string)
    const lost = SENT.length - told.length - left.length
    t.true(lost === 0 || lost === 1, `${lost} lost at step ${step}`)
    t.deepEqual(left, SENT.slice(told.length + lost))
    t.true(channel.trySend('next'))
    t.is(channel.tryReceive(), 'next')
  })
})

test('a killed process frees its slot for another one', async t => {
  const channel = ownChannel(t)
  const others = Array.from({ length: 253 }, () => Channel.open(channel.name))
  const victim = child(t, 'channel/hold.ts', { args: [channel.name] })
  t.is(await victim.next(), 'open')
  t.throws(() => Channel.open(channel.name), { code: 'ERR_NO_SLOT' })
  victim.kill('SIGKILL')
  await victim.exit
  const newcomer = Channel.open(channel.name)
  t.throws(() => Channel.open(channel.name), { code: 'ERR_NO_SLOT' })
  newcomer.close()
  for (const other of others) other.close()
})

test('a process that is stopped inside is named, and waiting for it ends in time', async t => {
  const channel = ownChannel(t)
  const victim = child(t, 'channel/hold.ts', { args: [channel.name, 'fill'] })
  t.is(await victim.next(), 'inside')
  t.is(channel.info().sending, victim.pid)
  const error = await t.throwsAsync(channel.send(1, { timeout: 50 }), { code: 'ETIMEDOUT' })
  t.regex((error as { hint?: string }).hint ?? '', new RegExp(`${victim.pid}`))
  t.false(channel.trySend(1))
  const waiting = channel.send('after its death')
  victim.kill('SIGKILL')
  await waiting
  t.is(channel.tryReceive(), 'after its death')
})

requires(injected())(
  'a remover that is killed at any step leaves what the next openOrCreate finishes',
  async t => {
    const name = uniqueName(t)
    const script = `require(${JSON.stringify(new URL('../../index.js', import.meta.url).pathname)}).Channel.unlink(${JSON.stringify(name)})`
    let ended = 0
    for (const call of ['semctl', 'unlinkat']) {
      for (let step = 1; ; step += 1) {
        Channel.create(name, { capacity: 64 }).close()
        const made = list().channels.find(listed => listed.name === name)?.objects
        const rule = `${call}:signal=SIGKILL:when=${step}`
        const remover = program(t, [process.execPath, '-e', script], { within: [injected(rule)] })
        const { code } = await remover.exit
        using channel = Channel.openOrCreate(name, { capacity: 64 })
        t.true(channel.trySend(step), rule)
        t.is(channel.tryReceive(), step, rule)
        channel.unlink()
        for (const left of [made?.receivers, made?.senders]) t.false(Semaphore.unlink(left as string), rule)
        if (code === 0) break
        ended += 1
        t.true(step < 20)
      }
    }
    t.true(ended >= 4, `${ended}`)
  },
)
