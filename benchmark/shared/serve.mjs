// The process of a contender that runs on Node: `node serve.mjs SCENE CONTENDER OBJECT`.

import { createInterface } from 'node:readline'

const [, , sceneName, contenderName, object] = process.argv

const { scene } = await import(`../scenes/${sceneName}.mjs`)
let contender = scene.contenders[contenderName]
if (contender.kind === 'crowd') contender = contender.contender
const cleanups = []
const checks = []
const work = await contender.prepare({
  object,
  atTheEnd: cleanup => cleanups.push(cleanup),
  /** Registers the function that sums the received bytes, outside of the measured time. */
  sumOf: find => checks.push(find),
})

process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  const count = Number(line)
  const start = process.hrtime.bigint()
  const done = await work(count)
  const nanoseconds = Number(process.hrtime.bigint() - start)
  const sum = checks.length > 0 ? await checks[0]() : undefined
  const told = Object.entries(done ?? {}).map(([key, value]) => [key, asked(value)])
  const answer = { operations: count, nanoseconds, work: count, sum, ...Object.fromEntries(told) }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}

/** The value, or the result of a function, for a value that takes time to compute. It is called after the time is taken. */
function asked(value) {
  return typeof value === 'function' ? value() : value
}

for (const cleanup of cleanups.reverse()) await cleanup()
process.exit(0)
