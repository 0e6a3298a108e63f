// Compares the observations with the promises. A proof is a sentence and whether it holds.

import { hasTables } from './kernel.mjs'

/** Every slice hashed in shared memory has the hash of the same bytes on disk. */
export function sameHashes(found, onDisk) {
  const wrong = onDisk.flatMap((hash, slice) => (hash === found[slice] ? [] : [slice + 1]))
  return wrong.length === 0
    ? yes(`all ${onDisk.length} slices have the SHA-256 of the same bytes on disk`)
    : no(`${wrong.length} of ${onDisk.length} slices differ from the disk: ${wrong.join(', ')}`)
}

/**
 * Never more than `permits` holds at one time.
 *
 * A hold is recorded from just after its permit was taken to just before it was released. A hold of a killed worker
 * counts until the SIGKILL was sent.
 */
export function neverMoreThan(permits, holds, { samples, most: sampled }) {
  const moments = holds.flatMap(({ from, to }) => [
    [from, +1],
    [to, -1],
  ])
  // A hold that ends when another begins does not overlap it.
  moments.sort(([time, change], [other, otherChange]) => time - other || change - otherChange)
  let now = 0
  let most = 0
  for (const [, change] of moments) {
    now += change
    most = Math.max(most, now)
  }
  const evidence = `${holds.length} holds by the clock, ${samples} looks at the workers`
  const counted = Math.max(most, sampled)
  return counted <= permits
    ? yes(`never more than ${permits} permits were held at once: at most ${counted} (${evidence})`)
    : no(`${counted} permits were held at once, and there are ${permits} (${evidence})`)
}

/**
 * The killed worker's permit came back, and after how long: when all permits were free or held by other workers. Two
 * other workers hold one each at the same time, or the kernel's counter shows a free one.
 */
export function permitCameBack(permits, holds, kill) {
  if (!kill?.hit) return no('no worker was killed while it held a permit')
  const others = holds.filter(({ worker }) => worker !== kill.worker)
  const heldAt = time => others.filter(({ from, to }) => from <= time && time < to).length
  const full = others.filter(({ from }) => from >= kill.at && heldAt(from) >= permits).map(({ from }) => from)
  const back = Math.min(kill.backAt ?? Number.POSITIVE_INFINITY, ...full)
  return Number.isFinite(back)
    ? yes(`the permit of worker ${kill.worker} was back ${(back - kill.at).toFixed(1)} ms after the SIGKILL`)
    : no(`the permit of worker ${kill.worker} never came back`)
}

/** Another worker did the slice of the killed worker. */
export function doneAgain(kill, by) {
  if (!kill?.hit) return no('no slice had to be done again')
  const slice = `slice ${kill.slice + 1}, which worker ${kill.worker} left half done,`
  return by > 0 && by !== kill.worker
    ? yes(`${slice} was done again by worker ${by}`)
    : no(`${slice} was not done again`)
}

/** The limit has its original number of permits, and those that came back are free. */
export function allBack(made, back, { permits, free }) {
  const found = `${free} of ${permits} permits are free at the end`
  return permits === made && free === back ? yes(found) : no(`${found}, not ${back} of ${made}`)
}

/** No object of the demo is left in the kernel. */
export function nothingLeft(left) {
  return left.length === 0
    ? yes(
        `nothing of it is left: ${hasTables ? 'no semaphore in ipcs, no file in /dev/shm, ' : ''}no name that opens`,
      )
    : no(`left behind: ${left.join(', ')}`)
}

export const yes = text => ({ ok: true, text })
export const no = text => ({ ok: false, text })
