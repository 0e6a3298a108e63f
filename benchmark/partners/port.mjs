// A thread that answers each `{ expect }` when so many messages have come.

import { parentPort } from 'node:worker_threads'

let missing = 0
parentPort.on('message', message => {
  if (message.expect !== undefined) missing = message.expect
  else if (--missing === 0) parentPort.postMessage('done')
})
parentPort.postMessage('ready')
