import { size } from '../core/format.js'
import { type Finding, finding } from './finding.js'
import { numbers, rows, text } from '../core/files.js'

/** The used share of a limit from which on doctor warns. */
const NEARLY = 0.8

/** The number of semaphores in the set of a limit: its count, its record, and a word for each of 64 holders. */
const LIMIT_SIZE = 202

/** The longest name that a library may ask for. */
const MAX_NAME = 250

/** kernel.sem and its use; `longest` is the number of bytes of a name that fit into a set. */
export function checkSemaphores(longest: number | null): Finding[] {
  const [semmsl, semmns, semopm, semmni] = numbers('/proc/sys/kernel/sem') ?? []
  const sets = rows('/proc/sysvipc/sem')
  if (semmsl === undefined || semmns === undefined || semopm === undefined || semmni === undefined) return []
  if (sets === undefined) return []
  const semaphores = sets.reduce((sum, { nsems }) => sum + Number(nsems), 0)
  return [
    used(
      'semaphores',
      sets.length,
      semmni,
      'sets (SEMMNI)',
      'os-ipc ls shows them',
      'sysctl kernel.sem raises it',
    ),
    used('semaphores', semaphores, semmns, 'semaphores in all sets (SEMMNS)', 'sysctl kernel.sem raises it'),
    ...(longest === null ? [] : [names(longest, { semmsl, semmns, semopm, semmni })]),
    ...records({ semmsl, semmns, semopm, semmni }),
  ]
}

/** kernel.sem. */
interface Limits {
  readonly semmsl: number
  readonly semmns: number
  readonly semopm: number
  readonly semmni: number
}

/** Whether sets carry their names. */
function names(longest: number, { semmsl, semmns, semopm, semmni }: Limits): Finding {
  const limits = `(SEMMSL ${semmsl}, SEMOPM ${semopm})`
  if (longest >= MAX_NAME) {
    return finding('ok', 'semaphores', `a set carries its name, of up to ${MAX_NAME} bytes ${limits}`)
  }
  return finding(
    longest >= 30 ? 'note' : 'warning',
    'semaphores',
    `only names of up to ${longest} bytes are kept with their set ${limits}: two longer names with one key cannot be distinguished`,
    `sysctl kernel.sem="32000 ${semmns} 500 ${semmni}"`,
  )
}

/** Whether limits have their record, which needs a set of this size. */
function records({ semmsl, semmns, semopm, semmni }: Limits): Finding[] {
  if (semmsl >= LIMIT_SIZE) return []
  return [
    finding(
      'warning',
      'semaphores',
      `limits have no recorded number of permits and no holders here: a limit is a set of ${LIMIT_SIZE} semaphores, and SEMMSL is ${semmsl}`,
      `sysctl kernel.sem="32000 ${semmns} ${Math.max(500, semopm)} ${semmni}"`,
    ),
  ]
}

/** kernel.shm* and its use. */
export function checkSegments(pageSize = 4096): Finding[] {
  const [shmmni] = numbers('/proc/sys/kernel/shmmni') ?? []
  const segments = rows('/proc/sysvipc/shm')
  if (shmmni === undefined || segments === undefined) return []
  const [shmall = Number.POSITIVE_INFINITY] = numbers('/proc/sys/kernel/shmall') ?? []
  const [shmmax = Number.POSITIVE_INFINITY] = numbers('/proc/sys/kernel/shmmax') ?? []
  const pages = segments.reduce((sum, segment) => sum + Math.ceil(Number(segment.size) / pageSize), 0)
  const most = Math.min(shmmax, shmall * pageSize)
  return [
    used('segments', segments.length, shmmni, 'System V segments (SHMMNI)', 'sysctl kernel.shmmni raises it'),
    used('segments', pages, shmall, 'pages of System V memory (SHMALL)', 'sysctl kernel.shmall raises it'),
    // The default is the whole address space, which needs no report.
    ...(most > 2 ** 50
      ? []
      : [
          finding(
            'note',
            'segments',
            `a System V segment has at most ${size(most)} (SHMMAX, SHMALL)`,
            'sysctl kernel.shmmax raises it',
          ),
        ]),
    ...forced(),
  ]
}

function forced(): Finding[] {
  if (text('/proc/sys/kernel/shm_rmid_forced') !== '1') return []
  return [
    finding(
      'warning',
      'segments',
      'kernel.shm_rmid_forced is 1: a System V segment is removed when the last process detaches it',
      'sysctl kernel.shm_rmid_forced=0, or POSIX memory (a name)',
    ),
  ]
}

function used(topic: string, amount: number, limit: number, what: string, ...cures: string[]): Finding {
  const share = `${amount} of ${limit > 2 ** 50 ? 'any number of' : limit} ${what}`
  if (amount >= limit) return finding('problem', topic, `${share} exist: no more can be created`, ...cures)
  if (amount >= limit * NEARLY)
    return finding('warning', topic, `${share} exist: the limit is almost reached`, ...cures)
  return finding('ok', topic, `${share} exist`)
}
