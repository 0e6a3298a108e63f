// The reader of a stream: `stream.mjs OBJECT HOW SIZE`. It answers each `{ expect }` when so many messages have come.

import { createServer } from 'node:net'

import { Channel } from '../shared/ours.mjs'
import { ready } from './channel.mjs'

const [, , object, how, size] = process.argv

/** Resolves with the number of the next stream. */
let announce
const announced = []
process.on('message', message => {
  if (message.expect === undefined) count(message)
  else if (announce) announce(message.expect)
  else announced.push(message.expect)
})
const next = () =>
  new Promise(resolve => {
    if (announced.length > 0) resolve(announced.shift())
    else
      announce = number => {
        announce = undefined
        resolve(number)
      }
  })

let received = 0
let expected = 0
let finish
/** A message, or bytes of it, came by itself. */
function count(message) {
  received += message.length
  if (received >= expected) finish?.()
}

/** Cuts the bytes of a socket into messages: whole ones in their place, and the others put together in one buffer. */
function cut(length, visit) {
  const parts = Buffer.alloc(length)
  let there = 0
  return data => {
    let at = 0
    if (there > 0) {
      at = data.copy(parts, there)
      there += at
      if (there < length) return
      visit(parts)
      there = 0
    }
    for (; data.length - at >= length; at += length) visit(data.subarray(at, at + length))
    there = data.copy(parts, 0, at)
  }
}

/** Waits for messages that come by themselves. */
async function passive() {
  for (;;) {
    expected = (await next()) * Number(size)
    await new Promise(resolve => {
      finish = resolve
      if (received >= expected) resolve()
    })
    finish = undefined
    received = 0
    process.send('done')
  }
}

async function active(receive) {
  for (;;) {
    await receive(await next())
    process.send('done')
  }
}

if (how === 'ipc') {
  ready()
  await passive()
} else if (how === 'socket') {
  createServer(socket => socket.on('data', cut(Number(size), count))).listen(object, ready)
  await passive()
} else if (how === 'zeromq') {
  const { Pull } = await import('zeromq')
  const pull = new Pull()
  pull.connect(`ipc://${object}`)
  ready()
  await active(async number => {
    for (let got = 0; got < number; got += 1) await pull.receive()
  })
} else {
  const channel = Channel.open(object)
  const target = Buffer.alloc(Number(size))
  const look = view => {
    target[0] = view[0]
  }
  ready()
  if (how === 'drain') {
    await active(async number => {
      for (let got = 0; got < number; ) {
        await channel.receiveInto(target)
        got += 1 + channel.drain(look)
      }
    })
  } else if (how === 'poll') {
    await active(async number => {
      for (let got = 0; got < number; ) {
        const found = channel.drain(look)
        got += found
        if (found === 0) await new Promise(setImmediate)
      }
    })
  } else if (how === 'batches') {
    const batches = channel.batches()
    await active(async number => {
      for (let got = 0; got < number; ) got += (await batches.next()).value.length
    })
  } else {
    await active(async number => {
      for (let got = 0; got < number; got += 1) await channel.receive()
    })
  }
}
