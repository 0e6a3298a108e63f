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
  /** Says how the sum of the bytes that arrived is found, outside of the time that is measured. */
  sumOf: find => checks.push(find),
})

process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  const count = Number(line)
  const start = process.hrtime.bigint()
  const done = await work(count)
  const nanoseconds = Number(process.hrtime.bigint() - start)
  const sum = checks.length > 0 ? await checks[0]() : undefined
  process.stdout.write(`${JSON.stringify({ operations: count, nanoseconds, work: count, sum, ...done })}\n`)
}
for (const cleanup of cleanups.reverse()) await cleanup()
process.exit(0)
