// Measures the take-over of leader.mjs: three processes run it, the leader is killed with SIGKILL, and the clock runs until the
// next leader has started its work.
// node examples/recipes/take-over.mjs [KILLS]

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const KILLS = Number(process.argv[2] ?? 20)
const PROGRAM = fileURLToPath(new URL('leader.mjs', import.meta.url))

/** The running candidates by pid. */
const candidates = new Map()
/** Called with the pid of each new leader. */
let elected = () => {}

function start() {
  const child = spawn(process.execPath, [PROGRAM], { stdio: ['ignore', 'pipe', 'inherit'] })
  candidates.set(child.pid, child)
  createInterface({ input: child.stdout }).on('line', () => elected(child.pid))
}

/** The pid of the next leader. */
const election = () => new Promise(resolve => (elected = resolve))

const took = []
try {
  let next = election()
  for (let count = 0; count < 3; count++) start()
  let leader = await next
  for (let kill = 0; kill < KILLS; kill++) {
    start() // takes the place of the one that dies
    await new Promise(resolve => setTimeout(resolve, 300)) // until it waits, too
    next = election()
    const killed = performance.now()
    candidates.get(leader).kill('SIGKILL')
    candidates.delete(leader)
    leader = await next
    took.push(performance.now() - killed)
  }
} finally {
  for (const child of candidates.values()) child.kill('SIGKILL')
}
took.sort((a, b) => a - b)
const [median, latest] = [took[took.length >> 1], took.at(-1)].map(time => time.toFixed(1))
console.log(
  `${took.length} leaders killed; the next one led after ${median} ms (median), ${latest} ms at most`,
)
