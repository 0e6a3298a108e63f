import type { Command, Operand } from './command.js'

/** `os-ipc run [OPTIONS] NAME -- COMMAND...` */
export function usageLine(command: Command): string {
  const options = Object.keys(command.options).length > 0 ? ['[OPTIONS]'] : []
  const runs = command.runs ? ['-- COMMAND...'] : []
  return ['os-ipc', command.name, ...options, ...command.operands.map(operand), ...runs].join(' ')
}

function operand({ name, optional, many }: Operand): string {
  const shown = `${name}${many ? '...' : ''}`
  return optional ? `[${shown}]` : shown
}
