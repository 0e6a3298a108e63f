import { createRequire } from 'node:module'

import type { Library } from '../core/command.js'
import { type Finding, finding } from './finding.js'

/** The native addon: whether it loads, which file it is, and what its platform lacks. */
export async function checkBinding(): Promise<{ ipc: Library | undefined; findings: Finding[] }> {
  const runtime = `${process.platform}-${process.arch}, ${libc()}Node.js ${process.version}`
  const ipc = await import('../../index.js')
  const { reason } = ipc.capabilities
  if (reason !== undefined) {
    return { ipc: undefined, findings: [finding('problem', 'native binding', `${reason} (${runtime})`)] }
  }
  const file = Object.keys(createRequire(import.meta.url).cache).find(path => path.endsWith('.node'))
  return {
    ipc,
    findings: [finding('ok', 'native binding', `${file ?? 'loaded'} (${runtime})`), ...lacking(ipc)],
  }
}

function lacking({ capabilities }: Library): Finding[] {
  const { defaultBackend, crashRecovery, list } = capabilities
  return [
    crashRecovery[defaultBackend]
      ? finding('ok', 'recovery', 'the permits of a killed process come back')
      : finding(
          'warning',
          'recovery',
          'the permits of a killed process are lost: this platform has POSIX semaphores, which have no owner',
          'supervise the processes, and post for the dead ones',
        ),
    ...(list
      ? []
      : [finding('note', 'list', 'this platform does not say what there is: ls and top cannot work')]),
  ]
}

/** The C library, which decides which binary is the right one. */
function libc(): string {
  if (process.platform !== 'linux') return ''
  // Without this the report looks up the names of all peers of open sockets.
  Object.assign(process.report, { excludeNetwork: true })
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  return header.glibcVersionRuntime === undefined ? 'musl, ' : `glibc ${header.glibcVersionRuntime}, `
}
