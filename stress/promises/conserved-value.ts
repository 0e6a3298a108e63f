import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'

import { Limit, SharedMemory } from '../../index.js'
import { uniqueName } from '../../__test__/shared/names.ts'
import { random } from '../figures.ts'
import { atOnce, child, type Program } from '../program.ts'
import type { Promised } from '../promise.ts'

const PERMITS = 8
const OPERATIONS_PER_KILL = 300
const LANES = 4

const promised: Promised = {
  promise:
    '64 processes use one limit, and those of this package are killed at random: no permit is lost or added (the others are programs in Go, and in Python without undo)',
  trials: { long: 1_000, short: 40 },
  limit: 900,
  async run(trial) {
    const name = uniqueName(trial)
    using limit = Limit.create(name, { permits: PERMITS })
    using memory = SharedMemory.create(name, { size: 64 })
    const [operations, stop] = [0, 3]
    const counters = new Int32Array(memory.buffer)
    const processes = trial.long ? 59 : 15

    const ours: (Program | undefined)[] = []
    const start = (index: number): void => {
      ours[index] = child(trial, 'conserved-value', { args: [name] })
    }
    for (let index = 0; index < processes; index += 1) start(index)
    // These processes are not killed: the units that they take and give for good are counted.
    const pythons = pythonPeers(name, 4)
    const go = goLoop(name, () => counters[stop] !== 0)

    await atOnce(LANES, trial.count, async () => {
      await sleep(random(40))
      let index = random(processes)
      while (ours[index] === undefined) index = random(processes)
      const killed = ours[index] as Program
      ours[index] = undefined
      killed.kill('SIGKILL')
      const { code, signal } = await killed.exit
      if (signal !== 'SIGKILL') trial.lost(`a process ended by itself, with ${signal ?? `exit code ${code}`}`)
      start(index)
      trial.made()
    })
    while (Atomics.load(counters, operations) < trial.count * OPERATIONS_PER_KILL) await sleep(100)
    Atomics.store(counters, stop, 1)
    const python = { posts: 0, waits: 0 }
    for (const { posts, waits } of await Promise.all(pythons)) {
      python.posts += posts
      python.waits += waits
    }
    const goPairs = await go
    // Half of the remaining processes are killed, the others end by themselves.
    ours.forEach((process, index) => void (index % 2 === 0 && process?.kill('SIGKILL')))
    for (const process of ours) {
      const { code, signal } = (await process?.exit) ?? { code: 0, signal: null }
      if (code !== 0 && signal !== 'SIGKILL')
        trial.lost(`a process ended with ${signal ?? `exit code ${code}`}`)
    }
    const expected = PERMITS + python.posts - python.waits
    const { free, holders, permits } = limit.info()
    if (free !== expected) trial.lost(`${free} are free, it should be ${expected}`)
    if (permits !== PERMITS || holders?.length !== 0)
      trial.lost(`${permits} permits are recorded, held by ${JSON.stringify(holders)}`)
    limit.unlink()
    memory.unlink()
    const all = processes + pythons.length + (goPairs === undefined ? 0 : 1)
    return `${Atomics.load(counters, operations).toLocaleString('en')} operations in ${all} processes, ${python.posts.toLocaleString('en')} posts and ${python.waits.toLocaleString('en')} waits of Python, ${goPairs?.toLocaleString('en') ?? 'no'} pairs of Go, ${free} free of ${expected}`
  },
}
export default promised

/** Python processes that post and wait with sysv_ipc and without undo; each reports how often it did. */
function pythonPeers(name: string, count: number): Promise<{ posts: number; waits: number }>[] {
  const { python } = JSON.parse(
    readFileSync(new URL('../../.cache/peers/peers.json', import.meta.url), 'utf8'),
  )
  if (python.command === undefined) return []
  const file = fileURLToPath(new URL('conserved-value.child.py', import.meta.url))
  return Array.from({ length: count }, async () => {
    const poster = spawn(python.command[0], [file, name], { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    poster.stdout.on('data', chunk => (text += chunk))
    await once(poster, 'close')
    const [, posts, waits] = /^(\d+) (\d+)\n$/.exec(text) ?? []
    if (posts === undefined) throw new Error(`a peer in Python said ${JSON.stringify(text)}`)
    return { posts: Number(posts), waits: Number(waits) }
  })
}

/** The Go library's stand-in takes a unit and gives it back; returns how often, or `undefined` without Go. */
async function goLoop(name: string, stopped: () => boolean): Promise<number | undefined> {
  const { go } = JSON.parse(readFileSync(new URL('../../.cache/peers/peers.json', import.meta.url), 'utf8'))
  if (go.command === undefined) return undefined
  const run = async (verb: string): Promise<void> => {
    const peer = spawn(go.command[0], [...go.command.slice(1), 'sem-sysv', verb, name], { stdio: 'ignore' })
    const [code] = await once(peer, 'exit')
    if (code !== 0) throw new Error(`the Go peer's ${verb} ended with ${code}`)
  }
  let pairs = 0
  for (; !stopped(); pairs += 1) {
    await run('wait')
    await run('post')
  }
  return pairs
}
