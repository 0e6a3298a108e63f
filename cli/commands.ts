import type { Command } from './core/command.js'

/** A command by its name; it is loaded when it is called. */
export interface Entry {
  readonly name: string
  /** One line, for the list of commands and for completions. */
  readonly summary: string
  load(): Promise<Command>
}

function entry(name: string, summary: string, load: () => Promise<{ default: unknown }>): Entry {
  // Only the command itself knows the types of its options.
  return { name, summary, load: async () => (await load()).default as Command }
}

/** Every command, in the order in which help shows them. */
export const COMMANDS: readonly Entry[] = [
  entry('ls', 'list semaphores, limits, locks, channels and memory', () => import('./commands/ls.js')),
  entry('show', 'show everything about one object', () => import('./commands/show.js')),
  entry('top', 'watch all objects, live', () => import('./commands/top.js')),
  entry('run', 'run a command while holding a permit', () => import('./commands/run.js')),
  entry('limit', 'show or change the number of permits of a limit', () => import('./commands/limit.js')),
  entry('lock', 'run a command while holding a lock', () => import('./commands/lock.js')),
  entry('query', 'show the holders of locks and the waiters', () => import('./commands/query.js')),
  entry('create', 'create a semaphore, a limit or memory', () => import('./commands/create.js')),
  entry('post', 'add units to a semaphore', () => import('./commands/post.js')),
  entry('wait', 'take a unit, and wait until one is free', () => import('./commands/wait.js')),
  entry('try', 'take a unit if one is free now', () => import('./commands/try.js')),
  entry('value', 'print the counter of a semaphore', () => import('./commands/value.js')),
  entry('send', 'send lines or frames to a channel', () => import('./commands/send.js')),
  entry('receive', 'receive messages from a channel', () => import('./commands/receive.js')),
  entry('read', 'copy memory to standard output', () => import('./commands/read.js')),
  entry('write', 'copy standard input to memory', () => import('./commands/write.js')),
  entry('rm', 'remove semaphores, limits, channels and memory', () => import('./commands/rm.js')),
  entry(
    'key',
    'print the key of a name, and code that opens it in other languages',
    () => import('./commands/key.js'),
  ),
  entry(
    'doctor',
    'check this host, and report what can make programs fail',
    () => import('./commands/doctor.js'),
  ),
  entry('completion', 'print the completion script of a shell', () => import('./commands/completion.js')),
]
