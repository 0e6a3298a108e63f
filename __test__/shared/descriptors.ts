import { closeSync, openSync } from 'node:fs'

/** Leaves this process so many file descriptors; the function that it returns gives the others back. */
export function leaveDescriptors(free: number): () => void {
  const taken: number[] = []
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  } catch {
    // None is left.
  }
  for (const fd of taken.splice(0, free)) closeSync(fd)
  return () => {
    for (const fd of taken.splice(0)) closeSync(fd)
  }
}
