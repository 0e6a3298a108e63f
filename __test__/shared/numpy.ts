import type { Need } from './needs.ts'
import { prepared } from './prepared.ts'

/** A Python with numpy. */
export function numpyPython(): Need & { command: readonly string[] } {
  const { command = [], missing } = prepared('numpy')
  return { command, missing: missing && `needs numpy: ${missing}` }
}
