import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

import type { Library } from '../core/command.js'
import { accessDenied } from '../core/access.js'
import { type Finding, finding } from './finding.js'

/** The native addon: whether it loads, which file it is, and what its platform lacks. */
export async function checkBinding(): Promise<{ ipc: Library | undefined; findings: Finding[] }> {
  const runtime = `${process.platform}-${process.arch}, ${libc()}Node.js ${process.version}`
  const lost = (reason: string, error?: unknown) => {
    const text = reason.replace(/\.$/, '')
    return {
      ipc: undefined,
      findings: [finding('problem', 'native binding', `${text} (${runtime})`, ...permissionCures(error))],
    }
  }
  let ipc: Library
  try {
    ipc = await import('../../index.js')
  } catch (error) {
    return lost((error as Error).message, error)
  }
  const { reason } = ipc.capabilities
  if (reason !== undefined) return lost(reason)
  const file = Object.keys(createRequire(import.meta.url).cache).find(path => path.endsWith('.node'))
  return {
    ipc,
    findings: [finding('ok', 'native binding', `${file ?? 'loaded'} (${runtime})`), ...lacking(ipc)],
  }
}

/** Under Node's permission model: the file that may not be read, and the option that allows it. */
function permissionCures(error: unknown): string[] {
  const denied = accessDenied(error)
  if (denied !== undefined) return [`${denied.cause}: ${denied.cure}`]
  const { permission } = process
  if (permission === undefined) return []
  // From the bundle that this is in.
  const root = fileURLToPath(new URL('../', import.meta.url))
  const unreadable = permission.has('fs.read', root) ? [] : [`--allow-fs-read=${root} lets Node read ${root}`]
  return [...unreadable, ...(permission.has('addon') ? [] : ['--allow-addons lets Node load addons'])]
}

function lacking({ capabilities }: Library): Finding[] {
  const { list } = capabilities
  return [
    recovery(capabilities),
    ...(list
      ? []
      : [finding('note', 'list', 'this platform has no list of its objects: ls and top cannot work')]),
  ]
}

/** Whether the permits and locks of a dead process come back, as the kernel shows. */
function recovery({ limits, semaphoreBackends, platform }: Library['capabilities']): Finding {
  if (!limits.crashRecovery) return finding('warning', 'recovery', 'this platform has no limits')
  const back = 'the permits of a killed process come back'
  if (limits.default === 'sysv') return finding('ok', 'recovery', back)
  const files = 'limits are ledgers and locks are files here'
  if (!platform.startsWith('linux')) return finding('ok', 'recovery', `${back}: ${files}`)
  const why = semaphoreBackends.includes('sysv')
    ? 'this kernel ignores SEM_UNDO, as gVisor does (Cloud Run, some sandboxes)'
    : 'this host refuses System V semaphores'
  return finding('ok', 'recovery', `${back}: ${files}, since ${why}`)
}

/** The C library, which decides which binary is the right one. */
function libc(): string {
  if (process.platform !== 'linux') return ''
  // Without this the report looks up the names of all peers of open sockets.
  Object.assign(process.report, { excludeNetwork: true })
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  return header.glibcVersionRuntime === undefined ? 'musl, ' : `glibc ${header.glibcVersionRuntime}, `
}
