// `npm run demo [-- FILE]`: six processes hash one file in shared memory, two at a time, and one of them is killed.
//
// Exit code 0 when every promise was seen to hold, 1 when one was not, 2 when FILE cannot be used.

import { randomBytes } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { constants } from 'node:os'
import { parseArgs } from 'node:util'

import { capabilities, Limit, SharedMemory } from 'os-ipc'

import { Board } from './board.mjs'
import { dismiss, hire, watch } from './crew.mjs'
import { hashesOnDisk, load, megabytes, openInput, tooLarge, Unfit } from './input.mjs'
import { leftOf, snapshot } from './kernel.mjs'
import { PERMITS, sliceCount, WORKERS } from './plan.mjs'
import { allBack, doneAgain, neverMoreThan, no, nothingLeft, permitCameBack, sameHashes } from './proofs.mjs'
import { Screen } from './screen.mjs'

const USAGE = 'npm run demo [-- FILE]'

const screen = new Screen()

/** Removes the objects that were made, the last first. */
const undo = []
process.on('exit', () => {
  while (undo.length > 0) undo.pop()()
  screen.end()
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // After the handler above.
    process.on('exit', () => console.error(`os-ipc demo: ended by ${signal}, everything is taken away`))
    process.exit(128 + constants.signals[signal])
  })
}
// The reader of the output has gone.
process.stdout.on('error', () => process.exit(1))

try {
  process.exitCode = await demo(commandLine())
} catch (error) {
  if (!(error instanceof Unfit)) throw error
  screen.end()
  console.error(`os-ipc demo: ${error.message}`)
  process.exitCode = 2
}

/** FILE. */
function commandLine() {
  try {
    const { positionals } = parseArgs({ allowPositionals: true })
    if (positionals.length > 1) throw new Unfit(`one FILE at a time: ${USAGE}`)
    return positionals[0] ?? realpathSync(process.execPath)
  } catch (error) {
    if (!error.code?.startsWith('ERR_PARSE_ARGS')) throw error
    throw new Unfit(`${error.message.split('. ')[0]}: ${USAGE}`)
  }
}

async function demo(path) {
  if (capabilities.limits.engines.length === 0) throw new Unfit('this platform has no limits')
  const input = await openInput(path)
  const before = snapshot()
  const slices = sliceCount(input.size)
  const name = `/os-ipc-${randomBytes(3).toString('hex')}`

  // This process makes and removes the objects; the workers open them.
  const segment = createSegment(`${name}-file`, input.size, input)
  undo.push(() => remove(segment))
  const boardSegment = createSegment(`${name}-board`, Board.bytes(WORKERS, slices), input)
  undo.push(() => remove(boardSegment))
  const limit = Limit.create(`${name}-limit`, { permits: PERMITS })
  undo.push(() => limit.unlink())
  const semaphoreSet = limit.info().id

  screen.say(`${path}: ${megabytes(input.size)}, ${slices} slices, ${WORKERS} workers, ${PERMITS} permits`)
  screen.say(`in the kernel: ${name}-file, ${name}-board, ${name}-limit`)
  await load(input, segment, share => screen.loading(share))
  await input.file.close()
  screen.happened('the file is in shared memory')

  const board = new Board(boardSegment.buffer, WORKERS, slices)
  const crew = hire(name, board, input.size)
  undo.push(() => dismiss(crew))
  const seen = await watch(board, crew, limit, screen)

  const found = Array.from({ length: slices }, (_, slice) => board.digest(slice))
  const holds = crew.flatMap(member => board.holds(member.worker).map(hold => ended(hold, member)))
  const again = seen.kill && -board.state(seen.kill.slice)
  const { permits, free } = limit.info()
  while (undo.length > 0) undo.pop()()

  const recovers = capabilities.limits.crashRecovery
  if (!recovers) screen.slow('a permit of a dead process does not come back here: the kernel has no undo')
  return report([
    ...seen.problems.map(no),
    sameHashes(found, await hashesOnDisk(path, slices, input.size)),
    neverMoreThan(PERMITS, holds, seen),
    ...(recovers ? [permitCameBack(PERMITS, holds, seen.kill)] : []),
    doneAgain(seen.kill, again),
    allBack(PERMITS, recovers ? PERMITS : PERMITS - 1, { permits, free }),
    nothingLeft(leftOf(name, semaphoreSet, before)),
  ])
}

function createSegment(name, size, input) {
  try {
    return SharedMemory.create(name, { size })
  } catch (error) {
    if (['ENOSPC', 'ENOMEM', 'EFBIG'].includes(error.code)) throw tooLarge(input.path, input.size)
    throw error
  }
}

function remove(segment) {
  segment.unlink()
  segment.close()
}

/** A hold without an end belongs to a dead worker: it lasted until the kill, or, as far as main knows, only at its beginning. */
function ended(hold, { killedAt }) {
  return { ...hold, to: hold.to ?? killedAt ?? hold.from }
}

function report(proofs) {
  screen.end()
  for (const proof of proofs) screen.proof(proof)
  const failed = proofs.filter(({ ok }) => !ok).length
  screen.say(failed === 0 ? 'the demo is done: everything held' : `the demo is done: ${failed} did not hold`)
  return failed === 0 ? 0 : 1
}
