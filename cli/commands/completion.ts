import { bashCompletion } from '../completion/bash.js'
import { fishCompletion } from '../completion/fish.js'
import { powershellCompletion } from '../completion/powershell.js'
import { commandWords, type CommandWords } from '../completion/words.js'
import { zshCompletion } from '../completion/zsh.js'
import { command } from '../core/command.js'
import { usage } from '../core/failure.js'
import { print } from '../core/output.js'
import { closest } from '../../lib/closest.js'

const SHELLS: Readonly<Record<string, (commands: readonly CommandWords[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
  powershell: powershellCompletion,
}

export default command({
  name: 'completion',
  operands: [
    { name: 'SHELL', help: 'bash, zsh, fish or powershell', complete: ['bash', 'zsh', 'fish', 'powershell'] },
  ],
  options: {},
  description: [
    'Prints a script that completes the commands, options and names of os-ipc in a shell.',
    'The script calls os-ipc for the names, so os-ipc must be on the PATH: npm install --global os-ipc.',
  ],
  examples: [
    ['source <(os-ipc completion bash)', 'in ~/.bashrc'],
    ['source <(os-ipc completion zsh)', 'in ~/.zshrc, after compinit'],
    ['os-ipc completion fish | source', 'in ~/.config/fish/config.fish'],
    ['os-ipc-win completion powershell | Out-String | Invoke-Expression', 'in $PROFILE'],
  ],
  exits: [
    ['0', 'done'],
    ['2', 'os-ipc does not know this shell'],
  ],
  withoutLibrary: true,
  async run({ operands: [shell = ''] }) {
    const write = SHELLS[shell]
    if (write === undefined) {
      const meant = closest(shell, Object.keys(SHELLS))
      throw usage(
        `there is no completion for '${shell}'`,
        meant ? `did you mean ${meant}?` : `there is one for ${Object.keys(SHELLS).join(', ')}`,
      )
    }
    print(
      write(await commandWords())
        .trimEnd()
        .split('\n'),
    )
    return undefined
  },
})
