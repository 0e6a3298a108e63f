// The other end of a Unix socket: `socket.mjs PATH MESSAGE ANSWER` answers each MESSAGE bytes with ANSWER bytes.

import { createServer } from 'node:net'

import { ready } from './channel.mjs'

const [, , path, message, answer] = process.argv
const reply = Buffer.alloc(Number(answer))
const server = createServer(socket => {
  let received = 0
  socket.on('data', data => {
    received += data.length
    for (; received >= Number(message); received -= Number(message)) socket.write(reply)
  })
  socket.on('close', () => server.close())
})
server.listen(path, ready)
