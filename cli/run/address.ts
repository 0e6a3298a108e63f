import { usage } from '../core/failure.js'

/** An address, or `env:NAME` for a variable with it, because every user of the host can read the passwords in a command line. */
export function addressOf(text: string, option: string): string {
  const [, variable] = /^env:(.*)$/s.exec(text) ?? []
  if (variable === undefined) return text
  const address = process.env[variable]
  if (address === undefined || address === '')
    throw usage(`the environment has no ${variable}`, `${option} needs an address or env:NAME`)
  return address
}
