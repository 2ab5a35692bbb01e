/** Reads a Dockerfile as far as the project's own goes. */

export interface Instruction {
  /** In upper case. */
  readonly name: string
  /** Of COPY: `from`. */
  readonly flags: Readonly<Record<string, string>>
  /** Without flags and continuations. */
  readonly text: string
  /** The parts of `text`, or the items of its JSON form. */
  readonly words: readonly string[]
}

export interface Stage {
  readonly image: string
  /** Its number where it has no name. */
  readonly name: string
  readonly instructions: readonly Instruction[]
}

const KNOWN = ['FROM', 'LABEL', 'ENV', 'WORKDIR', 'COPY', 'RUN', 'USER', 'EXPOSE', 'ENTRYPOINT', 'CMD']

/** @throws on an instruction that it does not know */
export function parseDockerfile(text: string): Stage[] {
  const stages: (Stage & { instructions: Instruction[] })[] = []
  for (const line of logicalLines(text)) {
    const instruction = parseInstruction(line)
    if (!KNOWN.includes(instruction.name)) throw new Error(`unknown instruction: ${line}`)
    if (instruction.name === 'FROM') {
      const [image = '', , name = String(stages.length)] = instruction.words
      stages.push({ image, name, instructions: [] })
    } else stages.at(-1)?.instructions.push(instruction)
  }
  return stages
}

/** `WORKDIR` and the like: the last one in a stage holds. */
export function lastOf(stage: Stage | undefined, name: string): Instruction | undefined {
  return stage?.instructions.findLast((instruction) => instruction.name === name)
}

function logicalLines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

function parseInstruction(line: string): Instruction {
  const [, name = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(line) ?? []
  const flags: Record<string, string> = {}
  const text = rest.replaceAll(/(?:^|(?<=\s))--([a-z]+)=(\S+)\s+/g, (whole, key: string, value: string) => {
    if (name !== 'COPY') return whole
    flags[key] = value
    return ''
  })
  const words = text.startsWith('[') ? (JSON.parse(text) as string[]) : text.split(/\s+/)
  return { name: name.toUpperCase(), flags, text, words }
}
