import { command } from '../core/command.js'
import { EXIT } from '../core/exit.js'
import { explain } from '../core/explain.js'
import { paint, print, printJson, type Style } from '../core/output.js'
import { pad } from '../core/text.js'
import { JSON_OUTPUT } from '../core/values.js'
import { checkBinding } from '../doctor/binding.js'
import { checkChannels } from '../doctor/channels.js'
import { type Finding, finding, type Level } from '../doctor/finding.js'
import { checkSegments, checkSemaphores } from '../doctor/limits.js'
import { checkOrphans } from '../doctor/orphans.js'
import { checkPermits } from '../doctor/permits.js'
import { checkPosix } from '../doctor/posix.js'
import { checkSystemV, longestRecordedName } from '../doctor/system-v.js'
import { checkSurroundings } from '../doctor/surroundings.js'

const STYLES: Readonly<Record<Level, Style>> = {
  ok: 'green',
  note: 'cyan',
  warning: 'yellow',
  problem: 'red',
}

export default command({
  name: 'doctor',
  operands: [],
  options: { json: JSON_OUTPUT },
  description: [
    'Checks this host and reports what can make programs fail: the native binding, the limits of semaphores and segments and their use, ' +
      "/dev/shm, containers, systemd's RemoveIPC and kernel.shm_rmid_forced. It also reports permits that a process has held for over an hour, permits of stopped processes, channels that a stopped process holds up or that have no slot left, and objects that seem to be left behind, with the command that removes them.",
    'Nothing records when each permit was taken. So doctor reports the permits of a limit whose last permit was taken or given back over an hour ago; of a ledger, taken over an hour ago.',
    'doctor changes nothing. A note is for information. A warning may cause failures later. A problem causes failures now.',
  ],
  examples: [
    ['os-ipc doctor', 'everything'],
    ['os-ipc doctor --json | jq \'.[] | select(.level != "ok")\'', 'only what is not ok'],
  ],
  exits: [
    ['0', 'no warning and no problem'],
    ['1', 'a warning or a problem'],
    ['2', 'the command line is wrong'],
  ],
  withoutLibrary: true,
  async run({ options }) {
    const { ipc, findings: binding } = await checkBinding()
    const longest = ipc === undefined ? null : await longestRecordedName()
    const findings = [
      ...binding,
      ...examined('semaphores', () => checkSemaphores(longest), '/proc/sys/kernel/sem', '/proc/sysvipc/sem'),
      ...examined('segments', checkSegments, '/proc/sys/kernel/shmmni', '/proc/sysvipc/shm'),
      ...(ipc === undefined ? [] : await checkSystemV()),
      ...examined('/dev/shm', checkPosix),
      ...examined('surroundings', checkSurroundings),
      ...(ipc === undefined ? [] : examined('permits', () => checkPermits(ipc))),
      ...(ipc === undefined ? [] : examined('channels', () => checkChannels(ipc))),
      ...(ipc === undefined ? [] : examined('orphans', () => checkOrphans(ipc))),
    ]
    if (options.json) printJson(findings)
    else for (const line of findings.flatMap(lines)) print(line)
    return findings.some(({ level }) => level === 'warning' || level === 'problem') ? EXIT.no : EXIT.ok
  },
})

/**
 * A check that fails becomes a finding, and the other checks still run. So does a check whose files Node's permission model does
 * not let us read, since a file that cannot be read is otherwise one that the system does not have.
 */
function examined(topic: string, check: () => Finding[], ...files: readonly string[]): Finding[] {
  const failed = (message: string, ...cures: string[]) => [
    finding('warning', topic, `the check failed: ${message}`, ...cures),
  ]
  const hidden = files.filter(file => process.permission?.has('fs.read', file) === false)
  if (hidden.length > 0) {
    const cures = hidden.map(file => `--allow-fs-read=${file} allows it`)
    return failed(
      `Node's permission model (--permission) does not let os-ipc read ${hidden.join(' and ')}`,
      ...cures,
    )
  }
  try {
    return check()
  } catch (error) {
    const { message, cure } = explain(error)
    return failed(message, ...(cure === undefined ? [] : [cure]))
  }
}

function lines({ level, topic, text, cures }: Finding): string[] {
  return [
    `${paint(STYLES[level], pad(level, 7))}  ${topic}: ${text.replaceAll(/\s*\n\s*/g, ' ')}`,
    ...cures.map(cure => paint('dim', `         -> ${cure}`)),
  ]
}
