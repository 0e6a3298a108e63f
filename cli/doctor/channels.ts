import type { Library } from '../core/command.js'
import { hasSystemFiles } from '../core/files.js'
import { describePid, stateOf } from '../core/processes.js'
import { type Finding, finding } from './finding.js'

/** The most handles that have a channel open: its slots. */
const SLOTS = 255
const NEARLY = 0.9

type Listed = ReturnType<Library['list']>['channels'][number]

/** Channels whose users are held up by a stopped process, and channels that are open almost as often as they can be. */
export function checkChannels(ipc: Library): Finding[] {
  if (!hasSystemFiles) return []
  return ipc
    .list()
    .channels.flatMap(channel => [
      ...stopped(channel.name, channel.sending, 'send to'),
      ...stopped(channel.name, channel.receiving, 'receive from'),
      ...slots(channel),
    ])
}

/** A stopped process that copies a message has the lock of its side until it continues or ends. */
function stopped(name: string, pid: number | undefined, what: string): Finding[] {
  const state = pid === undefined ? undefined : stateOf(pid)
  if (pid === undefined || (state !== 'T' && state !== 't')) return []
  const by = state === 't' ? ' by a debugger' : ''
  const text = `${describePid(pid)} is stopped${by} inside a call: no other process can ${what} the channel ${name}`
  const goOn = state === 't' ? `the debugger of ${pid} continues it` : `kill -CONT ${pid} continues it`
  return [
    finding('warning', 'channels', text, goOn, `kill -KILL ${pid} ends it, and the others go on without it`),
  ]
}

function slots({ name, handles }: Listed): Finding[] {
  if (handles < SLOTS * NEARLY) return []
  const text = `the channel ${name} is open ${handles} times, and at most ${SLOTS} times`
  const left = handles === SLOTS ? ': the next open fails with ERR_NO_SLOT' : ''
  const cure = 'each open Channel counts: one handle for a process is enough; close() the others'
  return [finding(handles === SLOTS ? 'problem' : 'warning', 'channels', text + left, cure)]
}
