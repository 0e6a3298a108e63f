import { linkOf, namesIn } from '../core/files.js'

/** The highest descriptor that is checked: the list of a child's streams is as long as its highest descriptor. */
const LIMIT = 256

/**
 * The descriptors that this process started with besides its standard streams: a jobserver of make, a `3>&1` of the shell. Node
 * closes them for its children, but a program that runs another one must pass them on.
 *
 * Read before this process opens anything. Linux only; elsewhere none are known, and none passed on.
 */
const INHERITED = inherited()

/**
 * The streams of a child that gets all descriptors of this process.
 *
 * Only descriptors that are unchanged: one from the start may have been a file that Node had open for a moment.
 */
export function allStreams(): ('inherit' | 'ignore' | number)[] {
  const fds = openFiles().filter(fd => fd < LIMIT)
  const others = Array.from({ length: Math.max(2, ...fds) - 2 }, (_, index) => index + 3)
  return ['inherit', 'inherit', 'inherit', ...others.map(fd => (fds.includes(fd) ? fd : 'ignore'))]
}

/** The descriptors that this process started with, besides the standard streams. */
export function openFiles(): number[] {
  return [...INHERITED].filter(([fd, target]) => targetOf(fd) === target).map(([fd]) => fd)
}

function inherited(): ReadonlyMap<number, string> {
  const targets = new Map<number, string>()
  for (const fd of descriptors()) {
    const target = fd > 2 ? targetOf(fd) : undefined
    if (target !== undefined) targets.set(fd, target)
  }
  const all = [...targets.values()]
  // Node has event queues, pipes to itself, and /dev/null. A jobserver is a pipe to itself too, and make says which.
  const ours = (target: string) =>
    target.startsWith('anon_inode:') ||
    target === '/dev/null' ||
    (target.startsWith('pipe:') && all.indexOf(target) !== all.lastIndexOf(target))
  const jobserver = /--jobserver-(?:auth|fds)=(\d+),(\d+)/.exec(process.env.MAKEFLAGS ?? '') ?? []
  const named = new Set(jobserver.slice(1).map(Number))
  return new Map([...targets].filter(([fd, target]) => named.has(fd) || !ours(target)))
}

/** The file of a descriptor; `undefined` for a closed one, such as the descriptor that read the folder. */
function targetOf(fd: number): string | undefined {
  return linkOf(`/proc/self/fd/${fd}`)
}

function descriptors(): number[] {
  return (namesIn('/proc/self/fd') ?? []).map(Number)
}
