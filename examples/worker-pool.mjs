// A pool of workers: one process feeds 200 jobs, four processes work, and one of them is killed in the middle.
// Nothing is lost but the job that the killed one had taken, and the feeder gives that one to the others.
// node examples/worker-pool.mjs

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import { Channel } from 'os-ipc'

const JOBS = 200
const WORKERS = 4

if (process.send) await work()
else await feed()

async function work() {
  const jobs = Channel.open('/example-jobs')
  const results = Channel.open('/example-results')
  // One job at a time: a worker that dies takes one job with it at most.
  for await (const id of jobs) {
    await sleep(2) // the work
    await results.send({ id, pid: process.pid })
  }
  process.disconnect()
}

async function feed() {
  const jobs = Channel.create('/example-jobs', { capacity: 1024 })
  const results = Channel.create('/example-results', { capacity: 1 << 16 })
  try {
    const workers = Array.from({ length: WORKERS }, () => fork(import.meta.filename))
    const exits = workers.map(worker => once(worker, 'exit'))
    const waiting = new Set(Array.from({ length: JOBS }, (_, id) => id))
    const fed = jobs.sendMany(waiting) // waits while the channel is full
    while (waiting.size > JOBS / 2) await done(results, waiting)

    workers[0].kill('SIGKILL')
    await exits[0]
    console.log('killed one of 4 workers')

    await fed
    // What the others still have comes within a second; what does not come is lost.
    while (waiting.size > 0 && (await done(results, waiting))) {}
    console.log(waiting.size <= 1 ? 'lost at most the job that it had taken' : `lost ${waiting.size} jobs`)

    await jobs.sendMany(waiting)
    while (waiting.size > 0 && (await done(results, waiting))) {}
    jobs.end() // the workers stop
    await Promise.all(exits)
    console.log(`${JOBS - waiting.size} of ${JOBS} jobs are done`)
  } finally {
    jobs.unlink()
    results.unlink()
  }
}

/** Takes a result; false if none comes within a second. */
async function done(results, waiting) {
  try {
    waiting.delete((await results.receive({ timeout: 1000 })).id)
    return true
  } catch (error) {
    if (error.code !== 'ETIMEDOUT') throw error
    return false
  }
}
