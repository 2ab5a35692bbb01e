import { Command } from 'commander'

/** Adds a command that only holds others. Called alone, it shows them and counts as wrong usage. */
export function addGroup(program: Command, name: string, description: string): Command {
  const group = new Command(name).description(description).copyInheritedSettings(program)
  program.addCommand(group)
  return group
}
