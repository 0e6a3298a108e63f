// The workers: started, watched, and one of them killed.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'

import { capabilities } from 'os-ipc'

import { clock } from './board.mjs'
import { MIDWAY, PERMITS, WORKERS } from './plan.mjs'

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url))
const TICK = 10
/** How long main polls for the killed worker's permit without a pause. */
const PATIENCE = 1_000

/** Starts the workers. */
export function hire(name, board, size) {
  return Array.from({ length: WORKERS }, (_, i) => {
    const args = [name, i + 1, WORKERS, board.slices, size].map(String)
    const child = fork(WORKER, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    return {
      worker: i + 1,
      pid: child.pid,
      child,
      gone: once(child, 'exit'),
      killedAt: undefined,
      ended: false,
    }
  })
}

/** Ends every worker at once. */
export function dismiss(crew) {
  for (const { child } of crew) child.kill('SIGKILL')
}

/** Watches until all slices are done, and kills one worker on the way. Returns the observations. */
export async function watch(board, crew, limit, screen) {
  const seen = { samples: 0, most: 0, kill: undefined, problems: [] }
  const states = new Array(board.slices).fill(0)
  for (const member of crew) member.child.once('exit', (...how) => onExit(board, member, how, seen, screen))

  while (board.slicesDone < board.slices) {
    sample(board, crew, limit, seen)
    tellChanges(board, states, screen)
    if (seen.kill === undefined) killOne(board, crew, seen, screen)
    if (crew.every(({ ended }) => ended)) {
      seen.problems.push('every worker ended before the work was done')
      break
    }
    screen.working(board, crew)
    await (isAway(seen.kill) ? turn() : sleep(TICK))
  }
  board.finish()
  tellChanges(board, states, screen)
  screen.working(board, crew)
  await Promise.all(crew.map(({ gone }) => gone))
  return seen
}

/** The workers that hold a permit at this moment, and the number of free permits in the kernel. */
function sample(board, crew, limit, seen) {
  const holders = board.holders(() => limit.info().free)
  if (holders === undefined) return
  const alive = holders.workers.filter(worker => !crew[worker - 1].killedAt)
  seen.samples += 1
  seen.most = Math.max(seen.most, alive.length)
  // All permits are free or held by living workers: the kernel has taken back the dead worker's permit.
  if (seen.kill && alive.length + holders.seen >= PERMITS) seen.kill.backAt ??= clock()
}

/** Whether the killed worker's permit may come back any moment. */
function isAway(kill) {
  return (
    capabilities.limits.crashRecovery &&
    kill !== undefined &&
    kill.backAt === undefined &&
    clock() - kill.at < PATIENCE
  )
}

/** SIGKILL, without a warning, to a worker that has a permit and is in the middle of a slice. */
function killOne(board, crew, seen, screen) {
  const done = board.slicesDone
  if (done < Math.floor(board.slices / 3)) return
  const holders = board.holders()?.workers ?? []
  const midway = worker => board.sliceOf(worker) !== undefined && board.progress(worker) <= MIDWAY
  const worker = holders.find(midway)
  // At best every permit is taken, and none is about to come back by itself.
  const good = holders.length === PERMITS && holders.every(midway)
  if (worker === undefined || !(good || board.awaitsStrike)) return
  const member = crew[worker - 1]
  seen.kill = { worker, slice: board.sliceOf(worker), at: clock(), backAt: undefined, hit: false }
  member.killedAt = seen.kill.at
  process.kill(member.pid, 'SIGKILL')
  screen.bad(`worker ${worker} (pid ${member.pid}) gets SIGKILL while it holds a permit`)
}

function onExit(board, member, [code, signal], seen, screen) {
  member.ended = true
  // Another worker repeats its work.
  const slice = board.giveBack(member.worker)
  if (slice !== undefined) screen.slow(`slice ${slice + 1} is free again: its worker is dead`)
  if (member.killedAt === undefined) {
    if (code !== 0) seen.problems.push(`worker ${member.worker} ended with ${signal ?? `exit code ${code}`}`)
    return
  }
  seen.kill.hit = slice !== undefined && board.turn(member.worker) % 2 === 1
  if (seen.kill.hit) return board.strike()
  screen.slow(`worker ${member.worker} had given its permit back a moment before`)
  seen.kill = undefined
}

/** A line for each slice that was taken or done since the last check. */
function tellChanges(board, states, screen) {
  for (let slice = 0; slice < board.slices; slice++) {
    const state = board.state(slice)
    if (state === states[slice]) continue
    states[slice] = state
    if (state > 0) screen.detail(`worker ${state} has a permit and takes slice ${slice + 1}`)
    if (state < 0) {
      const share = Math.floor((100 * board.slicesDone) / board.slices)
      screen.detail(`worker ${-state} has hashed slice ${slice + 1} (${share} %)`)
    }
  }
}
