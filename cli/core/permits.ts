import type { Limit } from '../../index.js'
import type { Subject } from './explain.js'
import { note } from './output.js'

/** Warns when an existing limit keeps a number of permits other than the one that was asked for. */
export function tellDifference(limit: Limit, wanted: number, { target: { label } }: Subject): void {
  const { permits = wanted } = limit
  if (permits === wanted) return
  note(
    `the limit ${label} has ${permits} permits, and ${wanted} were asked for; os-ipc limit ${label} ${wanted} changes it`,
  )
}
