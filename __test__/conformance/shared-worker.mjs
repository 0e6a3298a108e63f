// The worker that shares memory with its parent: it waits for the first word, and then sets the second one to 9.

import { parentPort, workerData } from 'node:worker_threads'

const words = new Int32Array(workerData)
parentPort.postMessage('ready')
if (Atomics.wait(words, 0, 0, 15_000) === 'ok') Atomics.store(words, 1, 9)
