import type { Completion } from '../core/command.js'
import { type CommandWords, namesCommand } from './words.js'

/** The completion of PowerShell 5.1 or later. */
export function powershellCompletion(commands: readonly CommandWords[]): string {
  return `# Completion of os-ipc for PowerShell: os-ipc-win completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName 'os-ipc', 'os-ipc-win' -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  # Of each command: its options, the values of options, and the operands; a kind of names stands in angle brackets.
  $commands = @{
${commands.map(entry).join('\n')}
  }
  $summaries = @{
${commands.map(({ name, summary }) => `    ${quoted(name)} = ${quoted(summary)}`).join('\n')}
    'help' = 'show the help of a command'
  }
  $words = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -le $cursorPosition } | ForEach-Object { $_.Extent.Text })
  if ($wordToComplete -ne '') { $words = @($words | Select-Object -SkipLast 1) }
  # Behind -- stands the line of another command.
  if ($words -contains '--') { return }
  if ($words.Count -eq 1) {
    $offered = @($summaries.Keys | Sort-Object) + @('--help', '--version')
  } elseif ($words[1] -eq 'help') {
    $offered = @($commands.Keys | Sort-Object)
  } elseif (-not $commands.ContainsKey($words[1])) {
    return
  } else {
    $command = $commands[$words[1]]
    $operands = 0
    $valueOf = $null
    foreach ($word in @($words | Select-Object -Skip 2)) {
      if ($valueOf) { $valueOf = $null }
      elseif ($command.Values.ContainsKey($word)) { $valueOf = $word }
      elseif ($word -notlike '-*') { $operands++ }
    }
    if ($valueOf) { $offered = $command.Values[$valueOf] }
    elseif ($wordToComplete -like '-*') { $offered = $command.Options }
    elseif ($operands -lt $command.Operands.Count) { $offered = $command.Operands[$operands] }
    elseif ($command.Many) { $offered = $command.Operands[-1] }
    else { $offered = @() }
  }
  foreach ($text in @($offered)) {
    if ($text -notmatch '^<(.*)>$') { $found = @($text) }
    else {
      $arguments = $Matches[1] -split ' '
      # A backslash stands for a character that cannot be shown: that is not the name.
      $found = @(& $words[0] @arguments 2>$null | Where-Object { $_ -notlike '*\\*' })
      # A name is offered as it was begun: with its slash, or without.
      if ($wordToComplete -notlike '/*') { $found = @($found | ForEach-Object { $_ -replace '^/', '' }) }
    }
    foreach ($name in $found) {
      if (-not $name.StartsWith($wordToComplete, [StringComparison]::Ordinal)) { continue }
      $quoted = if ($name -match '^[\\w./:-]+$') { $name } else { "'" + $name.Replace("'", "''") + "'" }
      $tip = if ($words.Count -eq 1 -and $summaries.ContainsKey($name)) { $summaries[$name] } else { $name }
      [System.Management.Automation.CompletionResult]::new($quoted, $name, 'ParameterValue', $tip)
    }
  }
}
`
}

/** The row of a command in the table. */
function entry({ name, options, operands, many, runs }: CommandWords): string {
  const values = options.flatMap(({ long, short, value }) =>
    value === undefined
      ? []
      : [long, ...(short ? [short] : [])].map(
          option => `${quoted(option)} = ${list(offered(value.complete))}`,
        ),
  )
  const longs = [...options.map(({ long }) => long), ...(runs ? ['--'] : [])]
  return [
    `    ${quoted(name)} = @{`,
    `      Options = ${list(longs)}`,
    `      Values = @{${values.length === 0 ? '' : ` ${values.join('; ')} `}}`,
    // The comma keeps the list of one operand a list of lists.
    `      Operands = @(${operands.map(operand => `,${list(offered(operand))}`).join(' + ')})`,
    `      Many = $${many}`,
    '    }',
  ].join('\n')
}

/** The words of a kind; the command that prints names stands in angle brackets. */
function offered(complete: Completion | undefined): readonly string[] {
  if (Array.isArray(complete)) return complete
  const names = namesCommand(complete as Completion | undefined)
  return names === undefined ? [] : [`<${names.replace(/^os-ipc /, '')}>`]
}

function list(words: readonly string[]): string {
  return `@(${words.map(quoted).join(', ')})`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
