// The main part of a fixture that has one semaphore or limit, and makes the calls that its test sends.

import { args, heard, say, sayError } from './fixture.ts'

interface Served {
  readonly created: boolean
  readonly name: string | undefined
  info(): { verified: boolean }
}

/**
 * Opens what the arguments say (method, id, options) and prints the result; then makes the calls that it reads as
 * [method, ...arguments], until it reads null. A call is one of `calls`, or else a method of the object.
 */
export async function serveCalls<T extends Served>(
  type: object,
  calls: Record<string, (object: T, ...rest: never[]) => unknown>,
): Promise<void> {
  const [method, id, options] = args.map(arg => JSON.parse(arg))
  try {
    const opened: unknown = Reflect.apply(Reflect.get(type, method) as () => unknown, type, [id, options])
    if (method === 'unlink') return say(opened)
    const object = opened as T
    const { created, name } = object
    say({ created, name, verified: object.info().verified })
    for (let line = await heard(); Array.isArray(line); line = await heard()) {
      const [call, ...rest] = line as [string, ...never[]]
      try {
        const own = calls[call]
        const result = own
          ? own(object, ...rest)
          : Reflect.apply(Reflect.get(object, call) as () => unknown, object, rest)
        say((await result) ?? 'done')
      } catch (error) {
        sayError(error)
      }
    }
  } catch (error) {
    sayError(error)
  }
}
