// Channels: messages to another process, the death of a receiver, workers.

import assert from 'node:assert/strict'

import { cleanup, ipc, peer, rejection, test, uniqueName } from './suite.mjs'

const { Channel, capabilities } = ipc

/** A channel that goes with the test. */
function channel(options) {
  const name = uniqueName()
  const made = Channel.create(name, options)
  cleanup(() => made.close())
  cleanup(() => Channel.unlink(name))
  return made
}

if (capabilities.externalBuffers) {
  test('channel: messages of every codec come in their order', async () => {
    const values = ['text', 'é€', { a: [1, null] }, new Map([[1, 2]]), Buffer.from('bytes')]
    const made = channel({ capacity: 4_096 })
    for (const value of values) await made.send(value)
    for (const value of values) assert.deepEqual(await made.receive({ timeout: 10_000 }), value)
    const json = channel({ capacity: 4_096, codec: 'json' })
    await json.send({ a: 1 })
    assert.deepEqual(json.tryReceive(), { a: 1 })
    const bytes = channel({ capacity: 65_536, codec: 'bytes' })
    await bytes.send(Buffer.alloc(30_000, 7))
    assert.deepEqual(await bytes.receive({ timeout: 10_000 }), Buffer.alloc(30_000, 7))
  })

  test('channel: a full one makes its sender wait for another process', async () => {
    const made = channel({ capacity: 64, codec: 'json' })
    const other = peer()
    other.tell('receive', made.name, 50)
    for (let number = 1; number <= 50; number++) await made.send(number, { timeout: 15_000 })
    assert.deepEqual(await other.hear(), { ok: Array.from({ length: 50 }, (_, i) => i + 1) })
  })

  test('channel: a receiver waits for another process, and is told the end', async () => {
    const made = channel({ capacity: 4_096 })
    const waiting = made.receive({ timeout: 15_000 })
    assert.deepEqual(await peer().ask('send', made.name, 'hello'), { ok: null })
    assert.equal(await waiting, 'hello')
    made.end()
    assert.equal(await made.receive(), undefined)
    assert.equal((await rejection(made.send('late'))).code, 'ERR_ENDED')
  })

  test('channel: a killed process frees its place, and holds up nobody', async () => {
    const made = channel({ capacity: 4_096 })
    const other = peer()
    other.tell('receive', made.name, 2)
    await made.send('one')
    while (made.info().messages > 0) await new Promise(resolve => setTimeout(resolve, 1))
    other.kill('SIGKILL')
    await other.ended
    await made.send('two')
    assert.equal(await made.receive({ timeout: 15_000 }), 'two')
    assert.deepEqual(made.info().receivers, [process.pid])
  })

  test('channel: time-outs, refusals and unlink', async () => {
    const made = channel({ capacity: 64, codec: 'bytes' })
    assert.equal((await rejection(made.receive({ timeout: 20 }))).code, 'ETIMEDOUT')
    assert.throws(() => made.trySend(Buffer.alloc(25)), { code: 'ERR_MESSAGE_TOO_LARGE' })
    assert.equal(
      ipc.list().channels.some(({ name }) => name === made.name),
      true,
    )
    made.unlink()
    assert.throws(() => Channel.open(made.name), { code: 'ENOENT' })
    assert.equal((await rejection(made.send(Buffer.alloc(1)))).code, 'EIDRM')
  })
} else {
  test('channel: refused where external buffers are forbidden, and nothing stays', () => {
    const name = uniqueName()
    assert.throws(() => Channel.create(name, { capacity: 64 }), { code: 'ERR_NO_EXTERNAL_BUFFERS' })
    assert.throws(() => Channel.open(name), { code: 'ENOENT' })
  })
}
