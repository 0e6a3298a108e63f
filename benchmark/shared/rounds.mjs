// Measures the contenders of a scene in turn, round after round, so that a disturbance of the machine affects all of them.

import { start } from './child.mjs'
import { median, quantile } from './statistics.mjs'

/** The milliseconds that one contender works in one round. */
const SLICE = { full: 20, smoke: 3 }
const ROUNDS = 25

/**
 * Runs a scene and returns its results by contender: `{ median, low, high, rounds }` in nanoseconds an operation, the
 * `work` an operation did, and `extras`; or `{ absent }` with the reason.
 */
export async function measure(scene, { smoke = false, progress = () => {} } = {}) {
  const rounds = smoke ? 1 : (scene.rounds ?? ROUNDS)
  const results = {}
  const running = new Map()
  try {
    for (const [index, [name, contender]] of Object.entries(scene.contenders).entries()) {
      if (contender.kind === 'cannot') {
        results[name] = { absent: contender.reason }
        continue
      }
      const child = start(scene.name, name, contender, `/bench-${scene.name}-${process.pid}-${index}`)
      if (child === undefined) results[name] = { absent: contender.missing ?? 'its program is not there' }
      else running.set(name, { child, samples: [], works: [], extras: [] })
    }
    for (const [name, { child }] of running) {
      progress(`starting ${name}`)
      await child.ready()
    }
    for (const [name, state] of running) {
      progress(`warming up ${name}`)
      state.count = await calibrate(
        state.child,
        scene,
        smoke ? SLICE.smoke : (scene.slice ?? SLICE.full),
        smoke,
      )
    }
    for (let round = 0; round < rounds; round += 1) {
      progress(`round ${round + 1} of ${rounds}`)
      for (const [, state] of running) {
        const { operations, nanoseconds, work, sum, ...extras } = await state.child.run(state.count)
        state.samples.push(nanoseconds / operations)
        state.works.push(work / operations)
        state.sum = sum
        state.extras.push(extras)
      }
    }
  } finally {
    await Promise.all([...running.values()].map(({ child }) => child.end()))
  }
  for (const [name, { samples, works, sum, extras }] of running) {
    results[name] = {
      median: median(samples),
      low: quantile(samples, 0.25),
      high: quantile(samples, 0.75),
      rounds: samples,
      work: works[0],
      sum,
      steady: works.every(work => work === works[0]),
      extras: mediansOf(extras),
    }
  }
  // In the order of the scene, with the absent ones.
  return Object.fromEntries(Object.keys(scene.contenders).map(name => [name, results[name]]))
}

/** Finds a count that takes about `slice` milliseconds; the runs until then warm the contender up. */
async function calibrate(child, scene, slice, smoke) {
  const most = (smoke ? scene.smokeCount : scene.count) ?? Number.POSITIVE_INFINITY
  const least = Math.min(scene.least ?? 1, most)
  let count = least
  for (;;) {
    const { nanoseconds } = await child.run(count)
    const milliseconds = Math.max(nanoseconds / 1e6, 0.001)
    if (count >= most || milliseconds >= slice / 2) {
      const wanted = Math.round((count * slice) / milliseconds)
      return Math.max(Math.min(wanted, most, count * 3), least)
    }
    count = Math.min(Math.max(Math.round(count * Math.min((slice / milliseconds) * 0.7, 8)), count + 1), most)
  }
}

function mediansOf(extras) {
  const keys = Object.keys(extras[0] ?? {})
  return Object.fromEntries(keys.map(key => [key, median(extras.map(extra => extra[key]))]))
}
