// The plan: permits, workers and slices.

export const WORKERS = 6
export const PERMITS = 2

/** The number of pieces of a slice, and the pause after each piece in milliseconds. */
export const PIECES = 8
export const PAUSE = 15

/** A worker is killed before it has hashed more of its slice than this, in percent. */
export const MIDWAY = 60

const SLICE_BYTES = 4 * 1024 * 1024
const FEWEST = 24
const MOST = 100

/** The number of slices: about 4 MiB each, enough slices to share and few enough to watch. */
export function sliceCount(size) {
  const count = Math.min(Math.max(Math.ceil(size / SLICE_BYTES), FEWEST), MOST)
  return Math.min(count, size)
}

/** The position of a slice; the sizes of slices differ by at most one byte. */
export function sliceOf(slice, count, size) {
  const offset = Math.floor((size / count) * slice)
  const end = slice + 1 === count ? size : Math.floor((size / count) * (slice + 1))
  return { offset, length: end - offset }
}
